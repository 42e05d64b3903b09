"""Suites written for pytest-recording, run by us: marks, fixtures, hook, modes, and what they gain."""

from __future__ import annotations

import json
import textwrap

import pytest
import yaml

from tests.integration.waits import refuse_long_sleeps

ASK = """
    import httpx
    import pytest

    def ask(prompt, **more):
        body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": prompt}}]}}
        answer = httpx.post("{base}/v1/chat/completions", json=body, **more)
        return answer.json()["choices"][0]["message"]["content"]
"""
CAPITAL = """
    @pytest.mark.vcr
    def test_capital():
        assert ask("What is the capital of France?") == "Paris"
"""


def module(project, base, *tests, name="test_geo"):
    source = "\n\n".join(map(textwrap.dedent, (ASK.format(base=base), *tests)))
    return project.makepyfile(**{name: source})


def cassette(project, name="test_capital.yaml"):
    return project.path / "cassettes" / "test_geo" / name


@pytest.fixture
def recorded(project, provide):
    """A project whose one test was recorded; the provider is gone."""
    base, _, stop = provide("Paris")
    module(project, base, CAPITAL)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    project.base = base
    return project


# --- cassettes --------------------------------------------------------------------------------------------------------


def test_the_cassette_is_vcrpys_own(recorded):
    document = yaml.safe_load(cassette(recorded).read_text("utf-8"))
    assert document["version"] == 1
    assert document["interactions"][0]["response"]["status"]["code"] == 200
    recorded.runpytest().assert_outcomes(passed=1)


def test_nothing_else_stays_in_the_folder(recorded):
    assert [path.name for path in cassette(recorded).parent.iterdir()] == ["test_capital.yaml"]


def test_a_missing_cassette_is_no_error_of_setup(project):
    module(project, "http://127.0.0.1:9", "@pytest.mark.vcr\ndef test_it(vcr):\n    assert len(vcr) == 0")
    project.runpytest().assert_outcomes(passed=1)


MANY = """
    pytestmark = pytest.mark.vcr("other.yaml", ignore_localhost=True)

    @pytest.fixture(scope="module")
    def vcr_config():
        return {"filter_headers": ["authorization"], "ignore_localhost": False}

    @pytest.mark.vcr("{path}", ignore_localhost=False)
    class TestIt:
        def test_both(self, vcr, vcr_markers):
            assert len(vcr_markers) == 2
            assert ask("What is the capital of France?") == "Paris"
            assert vcr.all_played

    @pytest.mark.default_cassette("named.yaml")
    @pytest.mark.vcr(ignore_localhost=False)
    def test_named(default_cassette_name, vcr_cassette_dir, record_mode):
        assert default_cassette_name == "named.yaml"
        assert vcr_cassette_dir.endswith("test_geo")
        assert record_mode == "none"
        assert ask("What is the capital of France?") == "Paris"
"""


def test_marks_fixtures_and_further_cassettes(recorded):
    path = cassette(recorded)
    module(recorded, recorded.base, MANY.replace("{path}", str(path.with_name("third.yaml"))))
    path.with_name("named.yaml").write_bytes(path.read_bytes())
    path.rename(path.with_name("third.yaml"))
    recorded.runpytest("-v").assert_outcomes(passed=2)


NAMED = """
    @pytest.fixture
    def vcr_cassette_name(request, default_cassette_name):
        assert default_cassette_name == request.node.name
        return f"named-{request.node.name}"

    @pytest.fixture(scope="module")
    def vcr_cassette_dir(request):
        return str(request.node.path.parent / "kept")
"""


def test_a_project_names_cassettes_as_with_pytest_vcr(project, provide):
    base, *_ = provide("Paris")
    module(project, base, NAMED, CAPITAL)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    assert [path.name for path in (project.path / "kept").iterdir()] == ["named-test_capital.yaml"]
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("mark", ["", '@pytest.mark.default_cassette("other.yaml")'])
def test_the_name_of_a_cassette_is_one_under_both_names(project, mark):
    project.makepyfile(f"""
        import pytest

        {mark}
        def test_it(vcr_cassette_name, default_cassette_name):
            assert vcr_cassette_name == default_cassette_name
    """)
    project.runpytest().assert_outcomes(passed=1)


def test_names_that_are_too_long_get_a_digest(project, provide):
    base, *_ = provide("Paris")
    name = "test_" + "x" * 260
    module(project, base, CAPITAL.replace("test_capital", name))
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    (path,) = (project.path / "cassettes" / "test_geo").iterdir()
    assert len(path.name) == 255
    project.runpytest().assert_outcomes(passed=1)


HOOK = """
    import json

    class Serializer:
        def serialize(cassette): return json.dumps(cassette, default=str)
        def deserialize(text): return json.loads(text)

    def by_path(one, other):
        assert one.path == other.path

    def pytest_recording_configure(vcr, config):
        vcr.register_serializer("yaml", Serializer)
        vcr.register_matcher("method", by_path)
        vcr.match_on = ["method"]
        vcr.before_record_request = drop_header

    def drop_header(request):
        request.headers.pop("user-agent", None)
        return request
"""


def test_the_hook_may_replace_what_is_built_in(project, provide):
    base, _, stop = provide("Paris")
    project.makeconftest(HOOK)
    module(project, base, CAPITAL)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    request = json.loads(cassette(project).read_text("utf-8"))["interactions"][0]["request"]
    assert "user-agent" not in request["headers"]
    module(project, base.replace("127.0.0.1", "localhost"), CAPITAL)
    project.runpytest().assert_outcomes(passed=1)


def test_recording_can_be_disabled(recorded, provide):
    base, *_ = provide("Paris")
    module(recorded, base, CAPITAL.replace("():", "(vcr):\n        assert vcr is None", 1))
    recorded.runpytest("--disable-recording").assert_outcomes(passed=1)


SCOPES = """
    @pytest.fixture(scope="module")
    def of_the_module(order):
        order.append("module")

    @pytest.fixture(scope="session")
    def order():
        return []

    @pytest.fixture
    def first(order):
        order.append(ask("What is the capital of France?"))

    @pytest.mark.vcr
    def test_capital(first, vcr, of_the_module, order):
        assert order == ["module", "Paris"]
        assert vcr.play_count == 1
"""


def test_fixtures_of_the_test_are_recorded_and_those_of_its_module_are_not(recorded):
    module(recorded, recorded.base, SCOPES)
    recorded.runpytest().assert_outcomes(passed=1)


def test_marks_that_come_with_the_collection_count(recorded):
    recorded.makeconftest(
        "import pytest\ndef pytest_collection_modifyitems(items):\n    items[0].add_marker(pytest.mark.vcr)"
    )
    module(recorded, recorded.base, CAPITAL.replace("@pytest.mark.vcr", ""))
    recorded.runpytest().assert_outcomes(passed=1)


def test_vcrpy_is_not_imported_for_other_tests(project):
    project.makepyfile("import sys\ndef test_it():\n    assert not [name for name in sys.modules if name == 'vcr']")
    project.runpytest_subprocess().assert_outcomes(passed=1)


# --- modes ------------------------------------------------------------------------------------------------------------

TWO = """
    @pytest.mark.vcr
    def test_capital():
        assert ask("What is the capital of France?") == "Paris"
        assert ask("What is the capital of Norway?") == "Oslo"
"""


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all", "rewrite"])
def test_the_fixture_says_what_the_command_line_says(project, mode):
    project.makepyfile(f"def test_it(record_mode, request):\n    assert record_mode == {mode!r}")
    project.runpytest(f"--record-mode={mode}").assert_outcomes(passed=1)


@pytest.mark.parametrize("mark", ['record_mode="new_episodes"', "record_mode=RecordMode.NEW_EPISODES"])
def test_a_mode_of_the_mark_beats_the_command_line(project, provide, mark):
    base, *_ = provide("Paris")
    module(project, base, "from vcr.record_mode import RecordMode", CAPITAL.replace("vcr\n", f"vcr({mark})\n", 1))
    project.runpytest("--record-mode=none").assert_outcomes(passed=1)
    assert cassette(project).is_file()


def test_rewriting_keeps_the_old_cassette_until_the_test_has_passed(recorded, provide):
    before = cassette(recorded).read_bytes()
    base, *_ = provide("Rome", "Paris")
    module(recorded, base, CAPITAL)
    recorded.runpytest("--record-mode=rewrite").assert_outcomes(failed=1)
    assert cassette(recorded).read_bytes() == before
    recorded.runpytest("--record-mode=rewrite").assert_outcomes(passed=1)
    assert base.encode() in cassette(recorded).read_bytes()


def test_rewriting_a_test_that_asks_nothing_removes_its_cassette(recorded):
    module(recorded, recorded.base, "@pytest.mark.vcr\ndef test_capital(): pass")
    recorded.runpytest("--record-mode=rewrite").assert_outcomes(passed=1)
    assert not cassette(recorded).exists()


def test_refreshing_asks_only_what_is_new_and_drops_the_rest(project, provide):
    base, _, stop = provide("Paris", "Oslo")
    config = "@pytest.fixture\ndef vcr_config(): return {'match_on': ['uri', 'body']}"
    module(project, base, config, TWO)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    module(project, base, config, CAPITAL)
    project.runpytest("--replay-mode=refresh").assert_outcomes(passed=1)
    text = cassette(project).read_text("utf-8")
    assert "France" in text
    assert "Norway" not in text


# --- misses -----------------------------------------------------------------------------------------------------------


def test_a_miss_explains_itself_and_quotes_vcrpy(recorded):
    path = module(recorded, recorded.base, CAPITAL)
    path.write_text(path.read_text("utf-8").replace("chat/completions", "completions"), "utf-8")
    result = recorded.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_capital*--record-mode=refresh*", "In vcrpy's words:*"])
    result.stdout.no_fnmatch_line("*httpx/_client.py*")


SWALLOWING = """
    @pytest.mark.vcr
    def test_capital():
        from swallowing import swallowed
        assert swallowed(lambda: ask("What?")) is None
"""


@pytest.mark.parametrize("clause", ["except Exception", "except BaseException"])
def test_a_swallowed_miss_fails_the_test(project, clause):
    project.makepyfile(swallowing=f"def swallowed(ask):\n    try:\n        ask()\n    {clause}:\n        return None")
    module(project, "http://127.0.0.1:9", SWALLOWING)
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*There is no cassette*"])


EXPECTED = """
    import vcr.errors

    @pytest.mark.vcr
    def test_refused():
        with pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException) as refused:
            ask("What?")
        assert refused.value.failed_request.method == "POST"
        assert refused.value.cassette.play_count == 0

    @pytest.mark.vcr
    @pytest.mark.xfail(strict=True)
    def test_expected_to_fail():
        ask("What?")
"""


def test_a_test_may_expect_vcrpys_error(project):
    module(project, "http://127.0.0.1:9", EXPECTED)
    project.runpytest().assert_outcomes(passed=1, xfailed=1)


def test_an_sdk_neither_retries_nor_wraps_a_miss(project):
    project.makepyfile(
        """
        import pytest
        from openai import OpenAI

        @pytest.mark.vcr
        def test_it():
            client = OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1")
            client.chat.completions.create(model="gpt-4o", messages=[])
        """
    )
    result = project.runpytest("-p", "no:logging")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*APIConnectionError*")
    result.stdout.fnmatch_lines(["There is no cassette*", "In vcrpy's words:*"])


# --- network ----------------------------------------------------------------------------------------------------------


def test_a_replaying_test_stays_on_this_machine(project):
    project.makepyfile(
        """
        import socket, pytest

        @pytest.mark.vcr
        def test_it():
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
            with pytest.raises(RuntimeError, match="test_it"):
                socket.create_connection(("192.0.2.1", 80))

        @pytest.mark.vcr(record_mode="once")
        def test_that_may_record():
            from replay_agent.recording.process import network
            assert not network.is_shut()
        """
    )
    project.runpytest().assert_outcomes(passed=2)


BLOCKED = """
    import socket, pytest

    def connect():
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()

    @pytest.mark.block_network
    def test_blocked():
        with pytest.raises(RuntimeError, match="^Network is disabled for host '127.0.0.1'$"):
            connect()

    @pytest.mark.block_network(allowed_hosts=["127.0.0.*"])
    def test_allowed():
        connect()

    def test_open():
        connect()
"""


HOSTS = """
    import pytest

    @pytest.fixture
    def vcr_config():
        return {"allowed_hosts": ["of.config"]}

    @pytest.mark.block_network(allowed_hosts=["of.mark"])
    def test_named_by_the_mark(allowed_hosts):
        assert allowed_hosts == ["of.mark"]

    @pytest.mark.block_network
    def test_named_elsewhere(allowed_hosts):
        assert allowed_hosts == %r
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["--allowed-hosts=of.line,10.*"], ["of.line", "10.*"]), ([], ["of.config"])],
)
def test_the_hosts_of_the_mark_come_first_then_the_command_line(project, options, expected):
    project.makepyfile(HOSTS % expected)
    project.runpytest(*options).assert_outcomes(passed=2)


def test_the_network_is_blocked_where_a_mark_says_so(project):
    project.makepyfile(BLOCKED)
    project.runpytest().assert_outcomes(passed=3)


def test_the_network_is_blocked_where_the_command_line_says_so(project):
    project.makepyfile(BLOCKED)
    project.runpytest("--block-network").assert_outcomes(passed=2, failed=1)
    project.runpytest("--block-network", "--allowed-hosts=10.*,127.").assert_outcomes(passed=2, failed=1)


@pytest.mark.parametrize("mark", ["vcr", "replay"])
def test_what_is_recorded_passes_a_blocked_network(project, provide, mark):
    base, *_ = provide("Paris")
    module(project, base, CAPITAL.replace("mark.vcr", f"mark.{mark}"))
    project.runpytest("--block-network", "--record-mode=all").assert_outcomes(passed=1)
    project.runpytest("--block-network").assert_outcomes(passed=1)


@pytest.mark.parametrize("arguments", ["42", "foo=42"])
def test_a_mark_with_other_arguments_is_refused(project, arguments):
    project.makepyfile(f"import pytest\n@pytest.mark.block_network({arguments})\ndef test_it(): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Invalid arguments to `block_network`*"])


# --- gains, and neighbours --------------------------------------------------------------------------------------------


def test_the_conversation_is_there_to_be_asserted(recorded):
    module(
        recorded, recorded.base,
        """
        @pytest.mark.vcr
        def test_capital(replay, vcr, run_snapshot):
            ask("What is the capital of France?")
            assert [part.content for message in replay.messages for part in message.parts][-1] == "Paris"
            assert replay.usage.requests == 1
            assert replay.play_count == vcr.play_count == 1
            assert replay.requests[0].method == "POST"
            assert replay.cassette_path.name == "test_capital.yaml"
            assert replay == run_snapshot
        """,
    )  # fmt: skip
    recorded.runpytest("--snapshot-update").assert_outcomes(passed=1)
    recorded.runpytest().assert_outcomes(passed=1)


REFUSED_ONCE = """
version: 1
interactions:
- request: {body: '{}', headers: {}, method: POST, uri: 'http://127.0.0.1:9/limited'}
  response: {body: {string: 'slow down'}, headers: {retry-after: ['50']}, status: {code: 429, message: Too Many}}
- request: {body: '{}', headers: {}, method: POST, uri: 'http://127.0.0.1:9/limited'}
  response: {body: {string: 'fine'}, headers: {}, status: {code: 200, message: OK}}
"""


def test_back_off_after_a_replayed_refusal_takes_no_time(project, monkeypatch):
    """The refusal asks for a wait of 50 seconds, and a sleep of that length is a failure."""
    refuse_long_sleeps(monkeypatch)
    project.makepyfile(
        test_geo="""
        import pytest
        from openai import OpenAI

        @pytest.mark.vcr
        def test_capital(vcr):
            client = OpenAI(api_key="k", base_url="http://127.0.0.1:9", max_retries=1)
            assert client.post("/limited", cast_to=object, body={}) == "fine"
            assert vcr.all_played
        """
    )
    cassette(project).parent.mkdir(parents=True)
    cassette(project).write_text(REFUSED_ONCE, "utf-8")
    project.runpytest().assert_outcomes(passed=1)


def test_two_recorders_are_one_too_many(project):
    project.makepyfile("import pytest\n@pytest.mark.vcr\n@pytest.mark.replay\ndef test_it(): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*marked vcr and replay*"])


OTHER = """
    import pytest

    def pytest_addoption(parser):
        parser.addoption("--record-mode", default=None)
        parser.addoption("--block-network", action="store_true")

    def pytest_configure(config):
        config.addinivalue_line("markers", "vcr: theirs")

    @pytest.fixture
    def vcr():
        return "theirs"
"""


def test_where_pytest_recording_is_it_keeps_its_mark_and_options(project, provide):
    base, _, stop = provide("Paris")
    project.makepyfile(recording=OTHER)
    project.syspathinsert()
    module(
        project,
        base,
        CAPITAL.replace("vcr", "replay"),
        "@pytest.mark.vcr\ndef test_theirs(vcr): assert vcr == 'theirs'",
    )
    project.runpytest("-p", "recording", "--replay-mode=once").assert_outcomes(passed=2)
    stop()
    project.runpytest("-p", "recording").assert_outcomes(passed=2)
