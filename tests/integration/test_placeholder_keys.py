"""Installed means harmless: keys are there for what replays, and a session without marks is as it is without us."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEEN = """
    import os
    KEYS = "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN", "GROQ_API_KEY", "AWS_DEFAULT_REGION"
    def seen(): return [name for name in KEYS if name in os.environ]
"""


@pytest.fixture
def bare(project, monkeypatch):
    for name in ("HF_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION", "GROQ_API_KEY"):
        monkeypatch.setenv(name, "")  # so that what a test within sets is taken back, too
        monkeypatch.delenv(name)
    project.makeini("[pytest]\npythonpath = .\naddopts = -p no:cacheprovider -p no:hypothesispytest -p no:xdist\n")
    project.makepyfile(seen=SEEN)
    return project


def test_a_marked_test_has_keys_from_import_to_teardown(bare):
    bare.makepyfile(
        """
        import os, pytest
        from seen import KEYS, seen
        AT_IMPORT = seen()

        @pytest.fixture(scope="module")
        def shared():
            yield seen()

        @pytest.fixture
        def own(shared):
            yield seen()
            assert seen() == list(KEYS)

        @pytest.mark.replay
        def test_it(own, shared):
            assert AT_IMPORT == own == shared == seen() == list(KEYS)
            assert os.environ["OPENAI_API_KEY"].startswith("sk-")
        """
    )
    bare.runpytest().assert_outcomes(passed=1)


def test_a_test_beside_a_marked_one_has_none(bare):
    bare.makepyfile(
        """
        import os, pytest
        from seen import seen

        def test_before(): assert seen() == []

        @pytest.mark.replay
        def test_marked(): assert seen()

        def test_after(): assert seen() == []

        @pytest.mark.skipif(not os.getenv("OPENAI_API_KEY"), reason="live")
        def test_live(): raise AssertionError

        @pytest.mark.skipif("not os.getenv('OPENAI_API_KEY')", reason="live")
        def test_live_by_text(): raise AssertionError

        def test_no_key():
            with pytest.raises(KeyError): os.environ["GROQ_API_KEY"]
        """
    )
    bare.runpytest().assert_outcomes(passed=4, skipped=2)


def test_a_module_without_marks_is_imported_without_keys(bare):
    bare.makepyfile(
        test_a="import pytest\nfrom seen import seen\n\n@pytest.mark.replay\ndef test_a(): assert seen()",
        test_b="from seen import seen\nAT_IMPORT = seen()\n\ndef test_b(): assert AT_IMPORT == seen() == []",
    )
    bare.runpytest().assert_outcomes(passed=2)


def test_the_fixture_is_as_good_as_the_mark(bare):
    bare.makepyfile(
        """
        from seen import seen
        AT_IMPORT = seen()
        def test_fixture(replay): assert AT_IMPORT and seen()
        def test_late(request):
            assert not seen()
            request.getfixturevalue("replay")
            assert seen()
        def test_after(): assert not seen()
        """
    )
    bare.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize("where", [".", "test_deep", "other"])
def test_a_conftest_that_uses_the_mark_has_keys_and_others_have_none(bare, where):
    (bare.path / where).mkdir(exist_ok=True)
    conftest = "import pytest\nfrom seen import seen\nAT_IMPORT = seen()\n"
    marking = "def pytest_collection_modifyitems(items):\n    for item in items: item.add_marker(pytest.mark.replay)\n"
    test = "import conftest\nfrom seen import seen\n\ndef test_it(): assert {0}conftest.AT_IMPORT"
    (bare.path / where / "conftest.py").write_text(conftest + marking, "utf-8")
    (bare.path / where / "test_it.py").write_text(test.format(""), "utf-8")
    bare.runpytest().assert_outcomes(passed=1)
    (bare.path / where / "conftest.py").write_text(conftest, "utf-8")
    (bare.path / where / "test_it.py").write_text(test.format("not "), "utf-8")
    bare.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_patch_that_outlives_a_marked_test_leaves_no_key(bare):
    bare.makepyfile(
        """
        import pytest
        from seen import seen

        @pytest.fixture(scope="module")
        def patched():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OPENAI_API_KEY", "mine")
                yield

        @pytest.mark.replay
        def test_marked(patched): ...
        """,
        test_later="from seen import seen\n\ndef test_first(): ...\ndef test_second(): assert seen() == []",
    )
    bare.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize("way", ["--record-mode=once", "--replay-mode=all", "-oreplay_placeholder_keys=false"])
def test_no_keys_are_placed_where_something_may_go_live_or_nobody_wants_them(bare, way):
    bare.makepyfile(
        """
        import pytest
        from seen import seen
        AT_IMPORT = seen()

        @pytest.mark.replay
        def test_it(): assert AT_IMPORT == seen() == []
        """
    )
    bare.runpytest(way).assert_outcomes(passed=1)


@pytest.mark.parametrize(("asked", "found"), [("", 0), ("-oreplay_placeholder_keys=true", 5)])
def test_vcr_tests_have_keys_only_if_the_project_asks(bare, asked, found):
    bare.makepyfile(
        f"""
        import pytest
        from seen import seen
        AT_IMPORT = seen()

        @pytest.mark.vcr
        def test_it(): assert len(AT_IMPORT) == len(seen()) == {found}

        @pytest.mark.vcr(record_mode="once")
        def test_recording(): assert not seen()

        def test_plain(): assert not seen()
        """
    )
    bare.runpytest(*filter(None, [asked])).assert_outcomes(passed=3)


def test_two_keys_of_google_are_not_there_at_once(bare):
    pytest.importorskip("google.genai")
    bare.makepyfile(
        """
        import pytest
        from google import genai

        @pytest.mark.replay
        def test_it(caplog):
            genai.Client()
            assert not caplog.records
        """
    )
    bare.runpytest().assert_outcomes(passed=1)


LOOKING = """
    import json, os, sys, warnings
    AT_IMPORT = dict(os.environ)

    def seen():
        modules = sorted(name for name in sys.modules if name.split(".")[0] != "replay_agent")
        hooks = [type(finder).__name__ for finder in sys.meta_path]
        return [modules, environ(os.environ), environ(AT_IMPORT), hooks, list(map(str, warnings.filters))]

    def environ(found):
        return {name: value for name, value in found.items() if not name.startswith(("PYTEST_CURRENT", "PYTEST_XDIST"))}

    def pytest_runtest_logreport(report):
        if report.when == "call":
            print("\\nSEEN " + json.dumps([report.nodeid, report.outcome, environ(os.environ)]))

    def pytest_unconfigure(config):
        worker = getattr(config, "workerinput", {}).get("workerid", "main")
        with open(f"seen-{worker}.json", "w") as file:
            json.dump(seen(), file)
"""
UNMARKED = {
    "failing": "def test_it(): assert 0",
    "live": "import os, pytest\n\n@pytest.mark.skipif(not os.getenv('OPENAI_API_KEY'), reason='live')\ndef test_it(): ...",
    "warning": "import warnings\n\ndef test_it(): warnings.warn('careful')",
    "vcrpy imported before": "import vcr.matchers\n\ndef test_it(): ...",
    "env read at import": "import os\n\nassert 'OPENAI_API_KEY' not in os.environ\n\ndef test_it(): ...",
    "unittest": "import unittest\n\nclass TestIt(unittest.IsolatedAsyncioTestCase):\n    async def test_it(self): ...",
    "doctest": 'def test_it():\n    """\n    >>> import os; \'OPENAI_API_KEY\' in os.environ\n    False\n    """',
    "on workers": "import pytest\n\n@pytest.mark.parametrize('n', range(4))\ndef test_it(n): assert n < 4",
    "own fixture replay": "import pytest\n\n@pytest.fixture\ndef replay(): return 1\n\ndef test_it(replay): assert replay == 1",
}
ARGUMENTS = {"doctest": ["--doctest-modules"], "on workers": ["-n", "2"]}


@pytest.mark.parametrize("kind", UNMARKED)
def test_a_session_without_marks_is_as_it_is_without_us(bare, kind):
    first = "import vcr.matchers\n" if kind == "vcrpy imported before" else ""
    bare.makeconftest(f"{first}\n" + LOOKING.replace("\n    ", "\n"))
    bare.makepyfile(test_it=UNMARKED[kind])
    bare.makeini("[pytest]\naddopts = -p no:hypothesispytest\n")

    def session(*arguments):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:vcr", *ARGUMENTS.get(kind, ()), *arguments]
        ended = subprocess.run(command, cwd=bare.path, capture_output=True, text=True, check=False)
        told = (line.strip().rpartition(" in ")[0] or line.strip() for line in ended.stdout.splitlines())
        lines = sorted(line for line in told if not line.endswith("%]"))  # workers tell in any order, progress among it
        seen = {path.name: path.read_text("utf-8") for path in sorted(bare.path.glob("seen-*"))}
        assert ("seen-gw1.json" in seen) == (kind == "on workers"), ended.stdout
        assert any(line.startswith("SEEN") for line in lines) == (kind != "live"), ended.stdout
        return ended.returncode, lines, ended.stderr, seen

    strictly = [] if kind in ("warning", "failing") else ["-Werror"]
    cached = ["-p", "no:cacheprovider"] if kind in ("failing", "live") else []
    assert session(*strictly, *cached) == session(*strictly, *cached, "-p", "no:replay_agent")


MARKED = """
    import os, pytest
    from seen import KEYS, seen
    pytestmark = pytest.mark.replay

    @pytest.mark.parametrize("number", range(3))
    def test_it(number): assert seen() == list(KEYS)
"""
ASKING = {
    "setup": "@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_setup(item): assert seen() == []",
    "setup, by way of a function": """
import seen as other
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item): other.check()
""",
    "start": "def pytest_runtest_logstart(nodeid): assert not os.getenv('OPENAI_API_KEY')",
    "end": "def pytest_runtest_logfinish(nodeid): assert 'OPENAI_API_KEY' not in os.environ",
    "a process": """
import subprocess, sys
CODE = "import os, sys; sys.exit('OPENAI_API_KEY' in os.environ)"
def pytest_runtest_logfinish(nodeid): subprocess.run([sys.executable, "-c", CODE], check=True)
""",
    "a spawned process": """
import multiprocessing
import seen as other
def pytest_runtest_logfinish(nodeid):
    process = multiprocessing.get_context("spawn").Process(target=other.check)
    process.start()
    process.join()
    assert process.exitcode == 0
""",
    "protocol": """
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    assert not [name for name in os.environ if name == "OPENAI_API_KEY"]
    return (yield)
""",
}


BY_WAY_OF_A_FUNCTION = {
    "report": "def pytest_runtest_logreport(report): report.when != 'teardown' or other.check()",
    "end": "def pytest_runtest_logfinish(nodeid): other.check()",
    "start": "def pytest_runtest_logstart(nodeid): other.check()",
    "making a report": """
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call):
    report = yield
    if call.when == "teardown":
        other.check()
    return report
""",
    "teardown": """
@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    yield
    other.check()
""",
    "one that says it is pytest's": """
def pytest_runtest_logfinish(nodeid): other.check()
pytest_runtest_logfinish.__module__ = "_pytest.runner"
""",
}
ASKING.update(
    (f"{name}, by way of a function", f"import seen as other\n{asking}")
    for name, asking in BY_WAY_OF_A_FUNCTION.items()
)


@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING)
def test_who_asks_between_two_marked_tests_finds_none(bare, asking):
    bare.makepyfile(MARKED, seen=f"{SEEN}\n    def check(): assert seen() == []\n")
    bare.makeconftest(f"import os, pytest\nfrom seen import seen\n{asking}")
    bare.runpytest().assert_outcomes(passed=3)


def test_a_condition_that_is_evaluated_late_finds_none(bare):
    bare.makepyfile(
        MARKED
        + """
    @pytest.mark.skipif("'OPENAI_API_KEY' in os.environ", reason="live")
    @pytest.mark.parametrize("number", range(2))
    def test_unless_live(number): assert seen() == list(KEYS)
    """
    )
    bare.runpytest().assert_outcomes(passed=5)


@pytest.mark.parametrize(
    "change",
    [
        "del os.environ['OPENAI_API_KEY']",
        "os.environ['OPENAI_API_KEY'] = 'mine'; del os.environ['OPENAI_API_KEY']",
        "for name in KEYS: os.environ.pop(name)",
        "os.environ['ANTHROPIC_API_KEY'] = ''; os.environ.pop('ANTHROPIC_API_KEY')",
    ],
)
def test_keys_that_a_test_took_away_are_there_for_the_next(bare, change):
    bare.makepyfile(
        f"""
        import os, pytest
        from seen import KEYS, seen
        pytestmark = pytest.mark.replay

        @pytest.mark.parametrize("number", range(3))
        def test_it(number):
            assert seen() == list(KEYS)
            {change}
        """
    )
    bare.runpytest().assert_outcomes(passed=3)


def test_a_key_that_a_test_has_set_for_good_is_left_alone(bare):
    bare.makepyfile(
        """
        import os, pytest
        pytestmark = pytest.mark.replay

        def test_that_sets_it(): os.environ["OPENAI_API_KEY"] = "mine"
        def test_that_finds_it(): assert os.environ["OPENAI_API_KEY"] == "mine"
        def test_with_a_region(): os.environ["AWS_REGION"] = "eu-west-1"
        def test_without_another(): assert "AWS_DEFAULT_REGION" not in os.environ
        """
    )
    bare.runpytest("-p", "no:randomly").assert_outcomes(passed=4)


@pytest.mark.parametrize("end", ["assert False", "pytest.exit('enough')"])
def test_keys_are_gone_where_a_session_stops_early(bare, end):
    bare.makepyfile(MARKED.replace("assert seen() == list(KEYS)", end))
    bare.makeconftest("from seen import seen\ndef pytest_unconfigure(): print('left', seen())")
    bare.runpytest("-x", "-s").stdout.fnmatch_lines(["*left []*"])


def test_keys_are_gone_behind_a_test_that_cannot_be_opened(bare):
    bare.makepyfile(
        """
        import pytest
        from seen import KEYS, seen

        @pytest.mark.replay
        def test_before(): assert seen() == list(KEYS)

        @pytest.mark.replay(ignore_body="no path")
        def test_that_cannot_be_opened(): pass

        def test_behind(): assert seen() == []
        """
    )
    bare.runpytest().assert_outcomes(passed=2, errors=1)


SCRIPTING = """
    import os, pytest
    from seen import KEYS, seen
    AT_IMPORT = seen()
    {own}
    def test_it(provider):
        provider.reply("hi")
        {body}
"""


def test_a_module_that_scripts_answers_has_keys_at_import_and_in_its_tests(bare):
    body = "assert AT_IMPORT == seen() == list(KEYS); provider.allow('unused_answers')"
    beside = "def test_beside(): assert seen() == []"
    bare.makepyfile(SCRIPTING.format(own=beside, body=body))
    bare.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "own",
    [
        "provider = pytest.fixture(name='provider')(lambda: type('Mine', (), {'reply': print}))",
        "@pytest.mark.parametrize('provider', [type('Mine', (), {'reply': print})])",
        "pass",
    ],
)
def test_a_module_whose_provider_is_another_is_left_alone(bare, own):
    if own == "pass":
        bare.makeconftest(
            "import pytest\n\n@pytest.fixture\ndef provider():\n    return type('M', (), {'reply': print})"
        )
    bare.makepyfile(SCRIPTING.format(own=own, body="assert AT_IMPORT == seen() == []"))
    bare.runpytest().assert_outcomes(passed=1)
