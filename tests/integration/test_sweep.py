"""Faults on recordings: by mark, by the fixture, in a sweep; and streams cut otherwise."""

from __future__ import annotations

import textwrap

import pytest

HEAD = """
import time
import anyio, httpx, openai, pytest
from replay_agent import tool_call
from replay_agent.faults import fault

URL = "https://api.openai.com/v1/chat/completions"

def ask(prompt="hi", **how):
    with openai.OpenAI(**{"max_retries": 0, **how}) as client:
        answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": prompt}])
        return answer.choices[0].message.content

def stream(prompt="hi"):
    with openai.OpenAI(max_retries=0) as client:
        messages = [{"role": "user", "content": prompt}]
        for chunk in client.chat.completions.create(model="gpt-4o", messages=messages, stream=True):
            yield chunk.choices[0].delta.content or ""
"""
RECORD = """
@pytest.mark.replay("shared")
def test_record(provider):
    provider.reply("Paris it is, of course", "Rome", "Paris")
    assert ask("one") and ask("two") and "".join(stream("three"))
"""


@pytest.fixture
def run(project):
    project.makepyfile(test_record=HEAD + RECORD)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)

    def run(test, *args):
        project.makepyfile(test_it=HEAD + textwrap.dedent(test))
        return project.runpytest("test_it.py", *args)

    return run


def test_a_fault_strikes_once_and_then_comes_the_recorded_answer(run):
    run(
        """
        @pytest.mark.replay("shared", fault="overloaded")
        def test_retried(replay):
            assert ask("one", max_retries=1) == "Paris it is, of course"
            assert len(replay.requests) == 2

        @pytest.mark.replay("shared", fault=[fault("rate_limited", times=2), fault("cut", call=3)])
        def test_several():
            assert ask("two", max_retries=3) == "Rome"

        @pytest.mark.replay("shared", fault="refused")
        def test_not_retried():
            with pytest.raises(openai.APIConnectionError):
                ask("one")
        """
    ).assert_outcomes(passed=3)


def test_the_fixture_lays_faults_and_edits_answers(run):
    run(
        """
        from dataclasses import replace
        from replay_agent.messages import TextPart

        @pytest.mark.replay("shared")
        def test_fault(replay):
            replay.fault("stall", after=1)
            with pytest.raises(openai.APIConnectionError):
                list(stream("three"))

        @pytest.mark.replay("shared")
        def test_edit(replay):
            replay.edit(lambda said: replace(said, parts=[TextPart("Oslo")]))
            assert ask("one") == "Oslo"
        """
    ).assert_outcomes(passed=2)


def test_a_fault_that_strikes_nothing_fails(run):
    result = run(
        """
        @pytest.mark.replay("shared", fault=fault("truncated"), allow_unused=True)
        def test_it():
            assert ask("one")
        """
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*1 of 1 faults did not strike: truncated()*"])


@pytest.mark.parametrize("mark", ["fault='cutt'", "sweep='cutt'", "restream='byte'", "sweep='cut', sweep_fails='bad'"])
def test_what_makes_no_sense_is_told(run, mark):
    result = run(f"@pytest.mark.replay('shared', {mark}, allow_unused=True)\ndef test_it():\n    ask('one')")
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        ["*Did you mean*" if "cutt" in mark else "*can be cut*" if "re" in mark[:2] else "*no verdict*"]
    )


@pytest.mark.parametrize("how", ["bytes", "merged", "random:7"])
def test_streams_are_cut_otherwise(run, how):
    run(
        f"""
        @pytest.mark.replay("shared", restream="{how}", allow_unused=True)
        def test_it():
            with httpx.stream("POST", URL, json={{"model": "gpt-4o", "messages": [{{"role": "user", "content": "three"}}],
                                                  "stream": True}}) as response:
                pieces = list(response.iter_raw())
            assert len(pieces) > 100 if "{how}" == "bytes" else len(pieces) == 1 if "{how}" == "merged" else pieces

        @pytest.mark.replay("shared", restream="{how}", allow_unused=True)
        def test_text():
            assert "".join(stream("three")) == "Paris"
        """
    ).assert_outcomes(passed=2)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_client_with_a_timeout_of_its_own_does_not_wait(run, loop):
    run(
        f"""
        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["{loop}"])
        @pytest.mark.replay("shared", fault=fault("read_timeout"), allow_unused=True)
        async def test_it():
            begun = time.perf_counter()
            async with httpx.AsyncClient(timeout=None) as client:
                with pytest.raises(TimeoutError):
                    with anyio.fail_after(30):
                        body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "one"}}]}}
                        await client.post(URL, json=body)
            assert time.perf_counter() - begun < 5

        @pytest.mark.replay("shared", fault=fault("read_timeout"), allow_unused=True)
        def test_without():
            httpx.post(URL, json={{"model": "gpt-4o", "messages": [{{"role": "user", "content": "one"}}]}}, timeout=None)
        """
    ).assert_outcomes(passed=1, failed=1)


def test_a_sweep_runs_fixtures_anew_and_takes_parameters_and_classes(run):
    result = run(
        """
        @pytest.fixture
        def seen():
            return []

        class TestIt:
            @pytest.mark.parametrize("prompt", ["one"])
            @pytest.mark.replay("shared", sweep=["refused", "empty_answer"], sweep_fails="wrong", allow_unused=True)
            def test_it(self, seen, prompt):
                seen.append(ask(prompt))
                assert len(seen) == 1
                return seen[0]
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["refused * failed loudly*", "empty_answer * silently wrong*", "*None instead of 'Paris*"]
    )


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_async_tests_are_swept(run, loop):
    result = run(
        f"""
        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["{loop}"])
        @pytest.mark.replay("shared", sweep="refused stall length", allow_unused=True)
        async def test_it():
            async with openai.AsyncOpenAI() as client:
                answer = await client.chat.completions.create(
                    model="gpt-4o", messages=[{{"role": "user", "content": "one"}}]
                )
            if answer.choices[0].finish_reason != "stop":
                raise ValueError("cut")
            return answer.choices[0].message.content
        """
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*2 recovered, 1 failed loudly, 0 silently wrong, 0 hung*"])


def test_a_sweep_by_option_prints_its_table(run):
    test = "@pytest.mark.replay('shared', allow_unused=True)\ndef test_it():\n    assert ask('one', max_retries=2)"
    result = run(test, "--replay-sweep=refused,quota")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*sweep of test_it.py::test_it*", "refused * recovered"])
