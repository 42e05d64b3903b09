"""The fixture ``provider`` in whole sessions: what fails a test, what is left alone, and how it goes with recordings."""

from __future__ import annotations

import textwrap

import pytest

HEAD = """
import os
import httpx, pytest
from replay_agent import tool_call

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]

def ask(prompt="hi", **more):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": prompt}], **more}
    answer = httpx.post("https://api.openai.com/v1/chat/completions", json=body).json()
    return answer["choices"][0]["message"].get("content")
"""


def run(project, test, *args):
    project.makepyfile(test_it=HEAD + textwrap.dedent(test))
    return project.runpytest(*args)


def test_answers_and_what_was_asked(project):
    result = run(
        project,
        """
        def test_it(provider):
            provider.reply("Paris")
            assert ask("capital?", temperature=0, tools=TOOLS) == "Paris"
            (call,) = provider.calls
            assert (call.prompt, call.settings["temperature"], call.tools[0].name) == ("capital?", 0, "get_weather")
            assert os.environ["OPENAI_API_KEY"]

        def test_without(monkeypatch):
            assert "OPENAI_API_KEY" not in os.environ
        """,
    )
    result.assert_outcomes(passed=2)


def test_an_unused_answer_fails(project):
    result = run(project, "def test_it(provider):\n    provider.reply('a', 'b')\n    ask()")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*1 of 2 scripted answers were never asked for (1 call came).", "*'b'"])


def test_an_unused_answer_of_a_test_that_failed_is_not_said(project):
    result = run(project, "def test_it(provider):\n    provider.reply('a')\n    assert 0")
    result.assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("ask()", "*There is no answer for call 1*"),
        ("provider.reply('a'); ask(); ask()", "*There is no answer for call 2*"),
        ("provider.reply(tool_call('get_wether')); ask(tools=TOOLS)", "*nearest name is get_weather*"),
        ("provider.reply(tool_call('get_weather', town=1)); ask(tools=TOOLS)", "*city is missing*"),
        ("provider.reply(lambda call: 1 / 0); ask()", "*ZeroDivisionError*"),
    ],
)
@pytest.mark.parametrize("swallowed", [False, True])
def test_what_a_script_must_not_do_fails_whatever_the_client_does(project, test, words, swallowed):
    body = f"    try:\n        {test}\n    except BaseException:\n        pass" if swallowed else f"    {test}"
    result = run(project, f"def test_it(provider):\n{body}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([words])


def test_each_can_be_allowed_by_name(project):
    result = run(
        project,
        """
        def test_it(provider):
            provider.allow("unused_answers", "unscripted_calls", "unoffered_tools", "invalid_arguments")
            provider.reply(tool_call("nowhere"), tool_call("get_weather", town=1), when="tool")
            provider.reply("never", when="somebody else")
            ask("tool", tools=TOOLS)
            ask("tool", tools=TOOLS)
            response = httpx.post("https://api.openai.com/v1/chat/completions", json={"model": "m", "messages": []})
            assert response.status_code == 500
        """,
    )
    result.assert_outcomes(passed=1)


def test_a_fixture_of_the_users_own_is_theirs(project):
    project.makeconftest("import pytest\n\n@pytest.fixture\ndef provider():\n    return 'mine'\n")
    result = run(
        project,
        """
        def test_it(provider):
            assert provider == "mine"
            assert "OPENAI_API_KEY" not in os.environ
            from replay_agent.recording import dispatch
            assert not dispatch.replaying()

        class TestNearer:
            @pytest.fixture
            def provider(self, provider):
                return provider + "!"

            def test_it(self, provider):
                assert provider == "mine!"
        """,
    )
    result.assert_outcomes(passed=2)


def test_one_of_the_users_may_build_on_ours(project):
    result = run(
        project,
        """
        @pytest.fixture
        def provider(provider):
            provider.reply("always", times=None)
            return provider

        def test_it(provider):
            assert [ask(), ask()] == ["always"] * 2
        """,
    )
    result.assert_outcomes(passed=1)


RECORDED = """
    @pytest.mark.replay
    def test_it(provider, replay):
        provider.reply("Paris", {answer!r})
        assert [ask("one"), ask("two")] == ["Paris", "Rome"]
        assert [call.prompt for call in provider.calls] == ["one", "two"]
        assert replay.usage.requests == 2
"""


@pytest.mark.parametrize("order", ["provider, replay", "replay, provider"])
def test_what_is_scripted_can_be_recorded(project, order):
    test = RECORDED.format(answer="Rome").replace("provider, replay", order)
    run(project, test, "--record-mode=once").assert_outcomes(passed=1)
    assert (project.path / "cassettes" / "test_it" / "test_it.yaml").is_file()
    run(project, test).assert_outcomes(passed=1)
    # The recording answers, whatever the script has become.
    run(project, RECORDED.format(answer="Oslo")).assert_outcomes(passed=1)
    result = run(project, RECORDED.format(answer="Oslo"), "--record-mode=rewrite")
    result.assert_outcomes(failed=1)


def test_a_recorded_test_without_a_cassette_misses(project):
    result = run(project, RECORDED.format(answer="Rome"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*--record-mode=once*"])


def test_nothing_leaves_and_loopback_stays_open(project):
    result = run(
        project,
        """
        import http.server, threading

        class Hello(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-length", "5")
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, *args): ...

        def test_it(provider):
            with pytest.raises(Exception, match="answered from a script"):
                httpx.get("https://example.com/")
            with http.server.HTTPServer(("127.0.0.1", 0), Hello) as server:
                threading.Thread(target=server.handle_request, daemon=True).start()
                assert httpx.get(f"http://127.0.0.1:{server.server_port}/").text == "hello"
        """,
    )
    result.assert_outcomes(passed=1)


def test_asking_to_be_replayed_too_late_is_told(project):
    result = run(project, "def test_it(provider, request):\n    request.getfixturevalue('replay')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*asked for the fixture provider before it asked to be replayed*"])


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_async_tests_and_swallowed_misses_in_tasks(project, loop):
    result = run(
        project,
        f"""
        import anyio
        pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["{loop}"])]

        async def later():
            async with httpx.AsyncClient() as client:
                body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "hi"}}]}}
                await client.post("https://api.openai.com/v1/chat/completions", json=body)

        async def test_good(provider):
            provider.reply("a", "b")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(later)
                tasks.start_soon(later)

        async def test_bad(provider):
            provider.reply("a")
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(later)
                    tasks.start_soon(later)
            except BaseException:
                pass
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*There is no answer for call 2*"])
