"""The mark `replay` from record to verdict, with a client that is not ours."""

from __future__ import annotations

import pytest

from replay_agent.calls import AnswerError

ASK = """
    import httpx
    import pytest

    TOOLS = [{{"type": "function", "function": {{"name": "look_up", "parameters": {{"type": "object", "properties": {{}}}}}}}}]

    def ask(prompt, **more):
        body = {{"model": "gpt-4o", "messages": [
            {{"role": "system", "content": "Be brief."}}, {{"role": "user", "content": prompt}}], **more}}
        answer = httpx.post("{base}/v1/chat/completions", json=body, headers={{"authorization": "Bearer sk-planted-4711-abcdef"}})
        return answer.json()["choices"][0]["message"]["content"]
"""


def module(project, base, *tests):
    import textwrap

    source = textwrap.dedent(ASK.format(base=base)) + "\n\n" + "\n\n".join(map(textwrap.dedent, tests))
    return project.makepyfile(test_geo=source)


CAPITAL = """
    @pytest.mark.replay
    def test_capital():
        assert ask("What is the capital of France?") == "Paris"
"""


@pytest.fixture
def recorded(project, provide):
    """A project whose one test was recorded; the provider is gone."""
    base, _, stop = provide("Paris")
    module(project, base, CAPITAL)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    project.base = base
    return project


def cassette(project):
    return project.path / "cassettes" / "test_geo" / "test_capital.yaml"


def test_a_recorded_test_replays_without_its_provider(recorded):
    assert cassette(recorded).is_file()
    recorded.runpytest().assert_outcomes(passed=1)


def test_nothing_but_cassettes_stays_in_the_folder(recorded):
    assert [path.name for path in (recorded.path / "cassettes").rglob("*") if path.is_file()] == ["test_capital.yaml"]


def test_recording_once_does_not_touch_what_is_there(recorded):
    before = cassette(recorded).read_bytes()
    recorded.runpytest("--record-mode=once").assert_outcomes(passed=1)
    assert cassette(recorded).read_bytes() == before


def test_tests_that_share_a_cassette_record_it_once_together(project, provide):
    base, script, stop = provide("Paris", "Oslo", "Rome")
    shared = """
    @pytest.mark.replay("shared")
    def test_{name}():
        assert ask("{prompt}") == "{answer}"
    """
    france, norway, italy = (
        shared.format(name=answer.lower(), prompt=prompt, answer=answer)
        for prompt, answer in (("France?", "Paris"), ("Norway?", "Oslo"), ("Italy?", "Rome"))
    )
    module(project, base, france, norway)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    project.runpytest().assert_outcomes(passed=2)
    module(project, base, france, norway, italy)
    project.runpytest("--record-mode=once").assert_outcomes(passed=2, failed=1)
    assert len(script.calls) == 2
    stop()


def test_no_secret_reaches_the_disk(recorded, monkeypatch):
    assert b"sk-planted" not in cassette(recorded).read_bytes()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ('ask("What is the capital of Norway?")', ["user", "Norway"]),
        ('ask("What is the capital of France?", temperature=0.7)', ["temperature", "0.7"]),
        ('ask("What is the capital of France?", model="gpt-5")', ["model", "gpt-5"]),
        ('ask("What is the capital of France?", tools=TOOLS)', ["tool", "look_up"]),
    ],
)
def test_a_changed_request_fails_and_is_named(recorded, change, named):
    module(recorded, recorded.base, CAPITAL.replace('ask("What is the capital of France?")', change))
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert all(word in text for word in named)
    assert "--record-mode=" in text
    assert "test_geo.py::test_capital" in text


def test_a_changed_system_prompt_is_named(recorded):
    path = recorded.path / "test_geo.py"
    path.write_text(path.read_text().replace("Be brief.", "Be verbose."))
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*system prompt changed*"])
    assert "verbose" in result.stdout.str()


def test_a_changed_tool_schema_is_named(project, provide):
    base, _, stop = provide("Paris")
    asked = CAPITAL.replace('France?")', 'France?", tools=TOOLS)')
    module(project, base, asked)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    module(
        project,
        base,
        asked.replace("tools=TOOLS", "tools=json.loads(json.dumps(TOOLS).replace('{}', '{\"city\": {}}'))"),
        "import json",
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "look_up" in text
    assert "city" in text


def test_a_planted_key_is_nowhere(project, provide, monkeypatch):
    header, prompt, variable = "sk-planted-4711-abcdef", "sk-proj-Zk3vQ9xW7tLm2RbN8yHs", "Xq7LmP2vRt9KwZ4bNc6YhD3s"
    monkeypatch.setenv("GEOGRAPHY_API_KEY", variable)
    base, _, stop = provide(f"Your keys are {header}, {prompt} and {variable}.")
    module(
        project,
        base,
        f"""
        @pytest.mark.replay
        def test_capital():
            assert "{variable}"[:0] in ask("Keys: {prompt} and {variable}")
        """,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    content = cassette(project).read_bytes()
    for secret in (header, prompt, variable):
        assert secret.encode() not in content
    assert b"GEOGRAPHY_API_KEY" in content
    project.runpytest().assert_outcomes(passed=1)


def test_a_swallowed_miss_still_fails(recorded):
    module(
        recorded,
        recorded.base,
        """
        @pytest.mark.replay
        def test_capital():
            try:
                ask("Something else")
            except BaseException:
                pass
        """,
    )
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Something else*"])


def test_a_miss_passes_through_except_exception(recorded):
    module(
        recorded,
        recorded.base,
        """
        @pytest.mark.replay
        def test_capital():
            try:
                ask("Something else")
            except Exception:
                pytest.fail("swallowed")
        """,
    )
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    assert "swallowed" not in result.stdout.str()


def test_what_is_not_asked_for_fails_a_passing_test(recorded):
    module(recorded, recorded.base, "@pytest.mark.replay\ndef test_capital():\n    pass\n")
    result = recorded.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*1 of 1 recorded interactions was never asked for*", "*What is the capital of France?*"]
    )


@pytest.mark.parametrize("way", ["--replay-unused=ignore", "mark", "ini"])
def test_leftovers_may_be_allowed(recorded, way):
    mark = "@pytest.mark.replay(allow_unused=True)" if way == "mark" else "@pytest.mark.replay"
    module(recorded, recorded.base, f"{mark}\ndef test_capital():\n    pass\n")
    if way == "ini":
        recorded.makeini("[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest\nreplay_unused = ignore\n")
    recorded.runpytest(*([way] if way.startswith("--") else [])).assert_outcomes(passed=1)


def test_leftovers_may_only_warn(recorded):
    module(recorded, recorded.base, "@pytest.mark.replay\ndef test_capital():\n    pass\n")
    result = recorded.runpytest("--replay-unused=warn")
    result.assert_outcomes(passed=1, warnings=1)


def test_leftovers_of_a_failing_test_are_not_said(recorded):
    module(recorded, recorded.base, "@pytest.mark.replay\ndef test_capital():\n    assert False\n")
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    assert "never asked for" not in result.stdout.str()


def test_a_missing_cassette_names_file_and_command(project, provide):
    base, script, _ = provide("Paris")
    module(project, base, CAPITAL)
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cassettes/test_geo/test_capital.yaml*", "*--record-mode=*"])
    assert script.calls == []


def test_a_marked_test_without_traffic_needs_no_cassette(project):
    project.makepyfile("import pytest\n\n@pytest.mark.replay\ndef test_nothing():\n    pass\n")
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    assert not (project.path / "cassettes").exists()


def test_a_failing_recording_leaves_no_cassette_and_costs_nothing_twice(project, provide):
    base, script, _ = provide("Paris", "Oslo")
    two = """
        @pytest.mark.replay
        def test_capital():
            assert ask("France?") == "Paris"
            assert ask("Norway?") == "{}"
    """
    module(project, base, two.format("Bergen"))
    project.runpytest("--record-mode=once").assert_outcomes(failed=1)
    assert not cassette(project).exists()
    module(project, base, two.format("Oslo"))
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    assert len(script.calls) == 2
    assert [path.name for path in (project.path / "cassettes").rglob("*") if path.is_file()] == ["test_capital.yaml"]


def test_a_failing_rewrite_keeps_the_old_cassette(recorded, provide):
    before = cassette(recorded).read_bytes()
    base, _, _ = provide("London")
    module(recorded, base, CAPITAL)
    recorded.runpytest("--record-mode=rewrite").assert_outcomes(failed=1)
    assert cassette(recorded).read_bytes() == before


def test_an_error_answer_is_recorded_like_any_other(project, provide):
    base, _, stop = provide(AnswerError(429, "slow down"))
    module(
        project,
        base,
        """
        @pytest.mark.replay
        def test_refused():
            with pytest.raises(KeyError):
                ask("What is the capital of France?")
        """,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    project.runpytest().assert_outcomes(passed=1)


def test_the_mode_of_the_command_line_beats_mark_and_ini(recorded):
    module(recorded, recorded.base, CAPITAL.replace("mark.replay", 'mark.replay(record_mode="rewrite")'))
    recorded.makeini("[pytest]\naddopts = -p no:hypothesispytest\nreplay_record_mode = all\n")
    recorded.runpytest("--replay-mode=none").assert_outcomes(passed=1)


def test_an_unknown_mode_is_named(project):
    project.makepyfile('import pytest\n\n@pytest.mark.replay(record_mode="sometimes")\ndef test_x():\n    pass\n')
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*sometimes*none, once, new_episodes, all, rewrite, refresh*"])


def test_an_unknown_argument_of_the_mark_is_named(project):
    project.makepyfile("import pytest\n\n@pytest.mark.replay(ignore_bodies=())\ndef test_x():\n    pass\n")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ignore_bodies*"])


@pytest.mark.parametrize("name", ["../../outside", "/etc/outside"])
def test_a_cassette_name_stays_in_its_folder(project, name):
    project.makepyfile(f"import pytest\n\n@pytest.mark.replay({name!r})\ndef test_x():\n    pass\n")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*outside*"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "*empty*"),
        (b"interactions: [", "*test_capital.yaml*"),
        (b"version: 999\ninteractions: []\n", "*999*"),
        (b"[" * 100_000, "*test_capital.yaml*"),
        (b"\x00\x01\x02\xff", "*test_capital.yaml*"),
        (b"<<<<<<< ours\n", "*test_capital.yaml*"),
        (b"!!python/object/apply:os.system ['touch hacked']\n", "*test_capital.yaml*"),
    ],
)
@pytest.mark.parametrize("mode", ["none", "once"])
def test_a_damaged_cassette_is_named_and_left_alone(recorded, content, says, mode):
    cassette(recorded).write_bytes(content)
    result = recorded.runpytest(f"--replay-mode={mode}")
    outcomes = result.parseoutcomes()
    assert outcomes.get("passed", 0) == 0
    result.stdout.fnmatch_lines(["*test_capital.yaml*"])
    result.stdout.fnmatch_lines([says])
    assert "Traceback" not in result.stdout.str()
    assert cassette(recorded).read_bytes() == content
    assert not (recorded.path / "hacked").exists()


def test_an_unwritable_folder_fails_before_the_first_call(project, provide):
    base, script, _ = provide("Paris")
    module(project, base, CAPITAL)
    (project.path / "cassettes").write_text("a file where the folder should be")
    result = project.runpytest("--record-mode=once")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*cassettes*"])
    assert script.calls == []


def test_one_recording_serves_both_event_loops(project, provide):
    base, script, stop = provide("Paris")
    module(
        project,
        base,
        """
        @pytest.fixture(params=["asyncio", "trio"])
        def anyio_backend(request):
            return request.param

        @pytest.mark.anyio
        @pytest.mark.replay
        async def test_capital():
            async with httpx.AsyncClient() as client:
                body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "France?"}]}
                answer = await client.post(BASE + "/v1/chat/completions", json=body)
            assert answer.json()["choices"][0]["message"]["content"] == "Paris"
        """.replace("BASE", repr(base)),
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    assert len(script.calls) == 1
    stop()
    project.runpytest().assert_outcomes(passed=2)
    assert cassette(project).is_file()


def test_a_miss_in_a_task_group_is_one_explained_failure(recorded):
    module(
        recorded,
        recorded.base,
        """
        import anyio

        async def elsewhere():
            async with httpx.AsyncClient() as client:
                body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Quite different"}]}
                await client.post(BASE + "/v1/chat/completions", json=body)

        @pytest.mark.anyio
        @pytest.mark.replay
        async def test_capital():
            async with anyio.create_task_group() as group:
                group.start_soon(elsewhere)
        """.replace("BASE", repr(recorded.base)),
    )
    result = recorded.runpytest()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*Quite different*"])
    assert "ExceptionGroup" not in result.stdout.str()


def test_the_network_is_shut_in_replay(recorded):
    module(
        recorded,
        recorded.base,
        """
        import socket

        @pytest.mark.replay(allow_unused=True)
        def test_capital():
            socket.create_connection(("192.0.2.1", 443), timeout=5)
        """,
    )
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*192.0.2.1*"])


def test_the_fixture_gives_messages_and_usage(recorded):
    module(
        recorded,
        recorded.base,
        """
        def test_capital(replay):
            ask("What is the capital of France?")
            request, response = replay.messages
            assert [part.part_kind for part in request.parts] == ["system-prompt", "user-prompt"]
            assert response.parts[0].content == "Paris"
            assert replay.usage.requests == 1
            assert replay.usage.response_tokens > 0
            assert replay.tool_calls == []
            assert replay.play_count == 1
            assert len(replay.requests) == 1
            assert replay.cassette_path.name == "test_capital.yaml"
        """,
    )
    recorded.runpytest().assert_outcomes(passed=1)


def test_names_that_would_share_a_file_do_not(project, provide):
    base, _, stop = provide("Paris", "paris", "PARIS")
    module(
        project,
        base,
        """
        @pytest.mark.replay
        @pytest.mark.parametrize("word", ["x/y", "x-y", "X-Y"])
        def test_word(word):
            ask(word)
        """,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=3)
    names = [path.name.casefold() for path in (project.path / "cassettes" / "test_geo").iterdir()]
    assert len(set(names)) == 3
    stop()
    project.runpytest().assert_outcomes(passed=3)
    project.runpytest("test_geo.py::test_word[x-y]").assert_outcomes(passed=1)


def test_refreshing_passes_at_once_and_asks_only_for_what_changed(recorded, provide):
    base, script, stop = provide("Oslo")
    module(recorded, base, CAPITAL.replace("France", "Norway").replace("Paris", "Oslo"))
    recorded.runpytest("--record-mode=refresh").assert_outcomes(passed=1)
    stop()
    assert len(script.calls) == 1
    recorded.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["refresh", "new_episodes"])
def test_nothing_unplayed_fails_a_test_that_records(recorded, mode):
    module(recorded, recorded.base, CAPITAL.replace('assert ask("What is the capital of France?") == "Paris"', "pass"))
    recorded.runpytest(f"--record-mode={mode}").assert_outcomes(passed=1)


XFAIL = CAPITAL.replace("@pytest", "@pytest.mark.xfail\n    @pytest", 1).replace("Paris", "Rome")


def test_an_expected_failure_is_recorded_and_replayed(project, provide):
    base, _, stop = provide("Paris")
    module(project, base, XFAIL)
    project.runpytest("--record-mode=once").assert_outcomes(xfailed=1)
    stop()
    assert cassette(project).is_file()
    project.runpytest().assert_outcomes(xfailed=1)


def test_a_miss_is_no_expected_failure(recorded):
    module(recorded, recorded.base, XFAIL.replace("France", "Norway"))
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Norway*"])


@pytest.mark.parametrize(("mode", "played"), [("once", True), ("refresh", False)])
def test_a_test_that_skips_itself_keeps_its_recording(project, provide, mode, played):
    base, _, stop = provide("Paris")
    skipping = CAPITAL.rstrip() + '\n        pytest.skip("enough")\n'
    module(project, base, skipping)
    project.runpytest("--record-mode=once").assert_outcomes(skipped=1)
    stop()
    before = cassette(project).read_bytes()
    module(project, base, skipping if played else skipping.replace("assert ask", "pytest.skip(); assert ask"))
    project.runpytest(f"--record-mode={mode}").assert_outcomes(skipped=1)
    assert cassette(project).read_bytes() == before


UNITTEST = """
    import unittest

    @pytest.mark.replay("one")
    class TestGeo(unittest.TestCase):
        def setUp(self):
            self.answer = ask("What is the capital of France?")

        def test_capital(self):
            self.assertEqual(self.answer, "{expected}")
"""


def test_a_failing_unittest_saves_no_cassette(project, provide):
    base, _, stop = provide("Paris")
    module(project, base, UNITTEST.format(expected="Rome"))
    project.runpytest("--record-mode=once").assert_outcomes(failed=1)
    stop()
    assert not (project.path / "cassettes" / "one.yaml").exists()
    module(project, base, UNITTEST.format(expected="Paris"))
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    project.runpytest().assert_outcomes(passed=1)


FIXTURE = """
    @pytest.fixture
    def answer():
        return ask("What is the capital of Norway?")

    @pytest.mark.replay
    def test_capital(answer):
        pass
"""


@pytest.mark.parametrize(
    "where", [FIXTURE, UNITTEST.replace("France", "Norway").replace('"one"', '"test_geo/test_capital"')]
)
def test_a_miss_before_the_test_is_said_once_without_a_traceback(recorded, where):
    module(recorded, recorded.base, where)
    text = recorded.runpytest().stdout.str()
    assert text.count("capital of [-France-]{+Norway+}") == 1
    assert "Traceback" not in text
    assert "clients/httpx" not in text


def test_misses_after_the_one_that_failed_the_test_are_shown_beside_it(recorded):
    module(
        recorded,
        recorded.base,
        """
        @pytest.fixture
        def goodbye():
            yield
            try:
                ask("What is the capital of Norway?")
            except BaseException:
                pass

        @pytest.mark.replay
        def test_capital(goodbye):
            ask("What is the capital of Spain?")
        """,
    )
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*capital of [[]-France-]{+Spain+}*", "*misses teardown*", "*{+Norway+}*"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("5", "5 is not a name"),
        ('""', "'' is not a name"),
        ('"one", cassette="two"', "names its cassette twice"),
        ("match_headers=5", "match_headers of the mark replay is one text or several, not 5"),
        ("ignore_body=[1]", "ignore_body of the mark replay is one text or several, not [[]1]"),
    ],
)
def test_a_mark_that_makes_no_sense_is_explained(project, arguments, says):
    project.makepyfile(f"import pytest\n@pytest.mark.replay({arguments})\ndef test_it(): pass")
    result = project.runpytest("--record-mode=once")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{says}*"])
    assert "_texts" not in result.stdout.str()


TWO_SHARE = """
    @pytest.mark.replay("shared.yaml")
    def test_first():
        assert ask("What is the capital of France?") == "Paris"

    @pytest.mark.replay("shared")
    def test_second():
        assert ask("What is the capital of Norway?") == "Oslo"
"""


def test_second_test_of_a_shared_cassette_is_told_that_it_has_nothing_there(project, provide):
    base, _, _ = provide("Paris", "Oslo")
    module(project, base, TWO_SHARE)
    project.runpytest("--record-mode=once", "-k", "first").assert_outcomes(passed=1)
    result = project.runpytest("--record-mode=once")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*test_second has recorded nothing in this cassette yet*", "*--record-mode=refresh"])
    assert [path.name for path in (project.path / "cassettes").iterdir()] == ["shared.yaml"]
    project.runpytest("--record-mode=refresh").assert_outcomes(passed=2)
    project.runpytest().assert_outcomes(passed=2)


def test_a_mode_that_there_is_not_is_refused_whatever_the_command_line_says(project):
    module(project, "http://127.0.0.1:9", '@pytest.mark.replay(record_mode="twice")\ndef test_it(): pass')
    for arguments in [], ["--record-mode=once"]:
        result = project.runpytest(*arguments)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*no record mode 'twice'*"])


HOOK = """
    from dataclasses import replace

    import pytest

    def without_price(response):
        return replace(response, headers=tuple(pair for pair in response.headers if pair[0].lower() != "content-type"))

    @pytest.hookimpl
    def pytest_replay_options(item, options):
        if item.name == "test_capital":
            return replace(options, normalize=(bytes.lower,), before_record_response=without_price)
"""


def test_a_conftest_gives_options_that_no_mark_can_say(recorded, provide):
    recorded.makeconftest(HOOK)
    module(recorded, recorded.base, CAPITAL.replace("What is the", "WHAT IS THE"))
    recorded.runpytest().assert_outcomes(passed=1)
    base, _, _ = provide("Paris")
    module(recorded, base, CAPITAL)
    recorded.runpytest("--record-mode=all").assert_outcomes(passed=1)
    assert "content-type" not in cassette(recorded).read_text("utf-8").partition("response:")[2]


UNSTEADY = """
    import itertools
    from dataclasses import replace

    COUNT = itertools.count()

    def pytest_replay_options(item, options):
        return replace(options, normalize=(lambda body: body + b"%d" % next(COUNT),), match_headers=("content-type",))
"""


def test_recording_that_will_not_replay_says_so_at_once(project, provide):
    base, _, _ = provide("Paris")
    project.makeconftest(UNSTEADY)
    module(project, base, CAPITAL)
    result = project.runpytest("--record-mode=once")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*will not replay as it was recorded*", "*request 1, POST *: no stored request*"])
    assert cassette(project).is_file()


LEFT_RUNNING = """
    import threading

    GO = threading.Event()
    THREADS = []

    def late():
        GO.wait(30)
        try:
            ask("What is the capital of Norway?")
        except BaseException:
            pass

    @pytest.mark.replay
    def test_capital():
        assert ask("What is the capital of France?") == "Paris"
        THREADS.append(threading.Thread(target=late))
        THREADS[0].start()

    @pytest.mark.replay(allow_unused=True)
    def test_next():
        GO.set()
        THREADS[0].join()
"""


@pytest.mark.parametrize("arguments", [[], ["-p", "xdist", "-n1"]], ids=["alone", "xdist"])
def test_a_thread_that_asks_too_late_fails_the_session_not_the_next_test(recorded, arguments):
    module(recorded, recorded.base, LEFT_RUNNING)
    result = recorded.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*a request after the end of its test*", "A thread that began in *test_capital*"])


FROZEN = """
    from datetime import datetime
    from uuid import uuid4
    import random

    @pytest.mark.replay(freeze=["clock", "uuid", "random"])
    def test_capital():
        assert ask(f"It is {datetime.now()}, request {uuid4()}, lot {random.random()}") == "Paris"
"""


def test_frozen_sources_replay(project, provide):
    base, _, stop = provide("Paris")
    module(project, base, FROZEN)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    assert "frozen:\n  clock: " in cassette(project).read_text("utf-8")
    project.runpytest().assert_outcomes(passed=1)
    module(project, base, FROZEN.replace('freeze=["clock", "uuid", "random"]', ""))
    project.runpytest().assert_outcomes(failed=1)
    project.makeini(
        "[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest -p no:xdist\n"
        "filterwarnings = default\nreplay_freeze = clock uuid random\n"
    )
    project.runpytest().assert_outcomes(passed=1)


def test_what_the_message_recommends_helps(project, provide):
    base, _, stop = provide("Paris", "Paris")
    test = CAPITAL.replace("What is the capital of France?", "Today is {datetime.now():%Y-%m-%d %H:%M:%S.%f}").replace(
        'ask("', 'ask(f"'
    )
    module(project, base, "from datetime import datetime", test)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    failed = project.runpytest()
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(["*Freeze it (freeze=('clock',) on the mark, then record again)*"])
    module(project, base, "from datetime import datetime", test.replace("replay", "replay(freeze=('clock',))"))
    project.runpytest("--record-mode=all").assert_outcomes(passed=1)
    stop()
    project.runpytest().assert_outcomes(passed=1)


def test_a_source_that_there_is_not_is_refused(project):
    module(project, "http://127.0.0.1:9", '@pytest.mark.replay(freeze="weather")\ndef test_it(): pass')
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'weather': what can be frozen is clock, uuid, random*"])


@pytest.mark.parametrize("owner", ["", "Spec"])
def test_named_snapshots_are_written_compared_and_kept_without_a_warning(recorded, owner):
    tests = """
    @pytest.mark.replay("test_geo/test_capital.yaml")
    @pytest.mark.parametrize("number", [1, 2])
    def test_kinds(replay, run_snapshot, number):
        ask("What is the capital of France?")
        assert replay == run_snapshot
        assert replay == run_snapshot(name="second")
        assert replay == run_snapshot

    @pytest.mark.replay("test_geo/test_capital.yaml")
    def test_plain(replay, run_snapshot):
        ask("What is the capital of France?")
        assert replay == run_snapshot
        assert replay == run_snapshot(name="second look")
    """
    if owner:
        import textwrap

        inner = textwrap.indent(textwrap.dedent(tests).replace("(replay,", "(self, replay,"), "    ")
        tests = f"class Test{owner}:\n{inner}"
    module(recorded, recorded.base, tests)
    options = "-Werror", "--replay-unused=ignore"
    recorded.runpytest_subprocess(*options, "--snapshot-update").assert_outcomes(passed=3)
    result = recorded.runpytest_subprocess(*options)
    result.assert_outcomes(passed=3)
    assert "unused" not in result.stdout.str()
    files = {path.name for path in (recorded.path / "__snapshots__" / "test_geo").iterdir()}
    start = f"Test{owner}." if owner else ""
    assert {f"{start}test_plain.run.snap", f"{start}test_plain.second look.run.snap"} < files
    assert len(files) == 8


MARKING = """
    @pytest.fixture{scope}
    def offline(request):
        {how}
"""


@pytest.mark.parametrize(
    ("scope", "how"),
    [
        ("(autouse=True)", "request.applymarker(pytest.mark.replay)"),
        ("(autouse=True)", "request.node.add_marker('replay')"),
        ("(autouse=True)", "request.node.add_marker(pytest.mark.replay('named'))"),
        ("(autouse=True)", "request.getfixturevalue('replay')"),
    ],
)
def test_a_mark_that_a_fixture_gives_counts(project, provide, scope, how):
    base, script, stop = provide("Paris")
    module(project, base, MARKING.format(scope=scope, how=how), CAPITAL.replace("@pytest.mark.replay", ""))
    project.runpytest().assert_outcomes(failed=1)
    assert script.calls == []
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    project.runpytest().assert_outcomes(passed=1)
    assert (project.path / "cassettes" / "named.yaml").is_file() == ("named" in how)


def test_a_mark_that_comes_when_the_test_runs_fails_it(project):
    project.makepyfile("import pytest\n\ndef test_x(request): request.node.add_marker(pytest.mark.replay)\n")
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*was marked replay while it ran*"])


def test_the_command_of_a_miss_helps_where_pytest_was_run(recorded, provide, monkeypatch):
    import shlex

    folder = recorded.mkdir("sub folder")
    (recorded.path / "test_geo.py").rename(folder / "test_geo.py")
    base, *_ = provide("Oslo")
    module(recorded, base, CAPITAL.replace("France", "Norway").replace("Paris", "Oslo"))
    (recorded.path / "test_geo.py").rename(folder / "test_geo.py")
    monkeypatch.chdir(folder)
    lines = recorded.runpytest().stdout.lines
    command = next(line.strip() for line in lines if line.strip().startswith("pytest ") and "--record-mode" in line)
    recorded.runpytest(*shlex.split(command)[1:]).assert_outcomes(passed=1)


@pytest.mark.parametrize("inner", ["TestInner", "TestGeo"])
def test_tests_of_nested_classes_record_and_replay_apart(project, provide, inner):
    base, _, stop = provide("1", "2", "3")
    nested = """
    class {outer}:
        class {inner}:
            @pytest.mark.replay
            def test_x(self):
                assert ask("{outer}") in ("1", "2", "3")
    """
    tests = [nested.format(outer=outer, inner=inner) for outer in ("TestA", "TestB", "TestC")]
    module(project, base, *tests)
    project.runpytest("--record-mode=once").assert_outcomes(passed=3)
    stop()
    assert len(list((project.path / "cassettes" / "test_geo").iterdir())) == 3
    project.runpytest().assert_outcomes(passed=3)
    project.runpytest(f"test_geo.py::TestB::{inner}::test_x").assert_outcomes(passed=1)


RESEEDING = """
    import random, pytest

    @pytest.hookimpl{order}
    def pytest_runtest_setup(item): random.seed()

    @pytest.hookimpl{order}
    def pytest_runtest_call(item): random.seed()

    @pytest.hookimpl{order}
    def pytest_runtest_teardown(item): random.seed()
"""
RANDOM = """
    import random

    @pytest.fixture(scope="module")
    def shared():
        return random.randint(0, 10**9)

    @pytest.fixture
    def number(shared):
        yield ask(f"begin {shared} {random.randint(0, 10**9)}")
        ask(f"end {random.randint(0, 10**9)}")

    @pytest.mark.replay(freeze=["random"])
    def test_numbers(number):
        one, other = random.random(), random.random()
        assert one != other
        ask(f"pick {one} {other} {random.randint(0, 10**9)}")
        random.seed(4)
        assert random.randint(0, 10**9) == 253454709
        ask(f"seeded {random.randint(0, 10**9)}")
"""


@pytest.mark.parametrize("order", ["", "(tryfirst=True)", "(trylast=True)"])
def test_frozen_numbers_go_on_whoever_seeds_between_the_phases(project, provide, order):
    base, _, stop = provide("1", "2", "3", "4")
    project.makeconftest(RESEEDING.format(order=order))
    module(project, base, RANDOM)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    project.runpytest().assert_outcomes(passed=1)


def test_frozen_numbers_in_a_unittest(project, provide):
    base, _, stop = provide("1", "2")
    project.makeconftest(RESEEDING.format(order=""))
    module(
        project,
        base,
        """
        import random, unittest

        @pytest.mark.replay(freeze=["random"])
        class TestNumbers(unittest.TestCase):
            def setUp(self): ask(f"begin {random.random()}")
            def test_x(self): ask(f"go {random.random()}")
        """,
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    project.runpytest().assert_outcomes(passed=1)


ENOUGH = "        pytest.exit('enough')\n"


def test_a_session_that_stops_in_the_middle_of_a_test_leaves_nothing_open(recorded):
    from replay_agent.recording.process import network

    module(recorded, recorded.base, CAPITAL + ENOUGH)
    recorded.runpytest()
    assert not network.is_shut()
    module(recorded, recorded.base, CAPITAL)
    recorded.runpytest().assert_outcomes(passed=1)


def test_what_was_recorded_before_a_session_stopped_is_taken_up(project, provide):
    base, script, _ = provide("Paris")
    module(project, base, CAPITAL + ENOUGH)
    project.runpytest("--record-mode=once")
    assert not cassette(project).exists()
    module(project, base, CAPITAL)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    assert len(script.calls) == 1
    assert cassette(project).is_file()


def test_a_fixture_that_fails_where_a_session_stops_leaves_nothing_open_either(recorded):
    from replay_agent.recording.process import network

    module(recorded, recorded.base, CAPITAL + ENOUGH)
    path = recorded.path / "test_geo.py"
    text = path.read_text("utf-8")
    own = "@pytest.fixture\ndef own():\n    yield\n    raise ValueError('own')\n\n"
    marked = text.index("@pytest.mark.replay")
    path.write_text(f"{text[:marked]}{own}@pytest.mark.usefixtures('own')\n{text[marked:]}", "utf-8")
    result = recorded.runpytest()
    assert "ValueError: own" in result.stdout.str() + result.stderr.str()
    assert not network.is_shut()


def test_a_recording_that_cannot_be_closed_where_a_session_stops_is_said(project, provide):
    base, _, _ = provide("Paris")
    module(project, base, CAPITAL + ENOUGH)
    project.makeconftest(
        """
        import pytest
        from replay_agent import harness
        from replay_agent.exceptions import CassetteUnwritable

        close = harness.Run.close

        def closing(run, **how):
            close(run, **how)
            if "test_capital" in run.cassette_path.name:
                raise CassetteUnwritable("The disk is full.")

        harness.Run.close = closing

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure():
            harness.Run.close = close
        """
    )
    result = project.runpytest("--record-mode=once")
    text = result.stdout.str() + result.stderr.str()
    assert "The disk is full." in result.stdout.str()
    assert "Traceback" not in text
    assert "test_geo.py::" in next(line for line in result.stdout.lines if "The disk is full." in line)
