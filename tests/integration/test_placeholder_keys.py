"""Installed means harmless: keys are there for what replays, and a session without marks is as it is without us."""

from __future__ import annotations

import json
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
        monkeypatch.delenv(name, raising=False)
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

    def pytest_unconfigure(config):
        ours = ("replay_agent",)
        modules = sorted(name for name in sys.modules if name.split(".")[0] not in ours)
        environ = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        hooks = [type(finder).__name__ for finder in sys.meta_path]
        print("\\nSEEN " + json.dumps([modules, environ, hooks]))
"""
UNMARKED = {
    "failing": "def test_it(): assert 0",
    "live": "import os, pytest\n\n@pytest.mark.skipif(not os.getenv('OPENAI_API_KEY'), reason='live')\ndef test_it(): ...",
    "warning": "import warnings\n\ndef test_it(): warnings.warn('careful')",
    "vcrpy imported before": "import vcr.matchers\n\ndef test_it(): ...",
}


@pytest.mark.parametrize(
    ("kind", "strict"), [("failing", False), ("live", True), ("warning", False), ("vcrpy imported before", True)]
)
def test_a_session_without_marks_is_as_it_is_without_us(bare, kind, strict):
    first = "import vcr.matchers\n" if kind == "vcrpy imported before" else ""
    bare.makeconftest(f"{first}\n" + LOOKING.replace("\n    ", "\n"))
    bare.makepyfile(test_it=UNMARKED[kind])

    def session(*arguments):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:vcr", *arguments]
        ended = subprocess.run(command, cwd=bare.path, capture_output=True, text=True, check=False)
        text = "\n".join(line for line in ended.stdout.splitlines() if not line.startswith("SEEN "))
        seen = next(line for line in ended.stdout.splitlines() if line.startswith("SEEN "))
        return ended.returncode, text.rpartition(" in ")[0], ended.stderr, *json.loads(seen[5:])

    strictly = ["-Werror"] if strict else []
    assert session(*strictly) == session(*strictly, "-p", "no:replay_agent")


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
