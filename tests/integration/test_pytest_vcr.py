"""Suites written for pytest-vcr, run by us: where their cassettes are, its fixture, its options."""

from __future__ import annotations

import textwrap

import pytest

from tests.integration.test_vcr_mark import CAPITAL, module

UNMARKED = """
    def test_capital(vcr_cassette):
        assert ask("What is the capital of France?") == "Paris"
        assert len(vcr_cassette) == 1
"""
NAMED = """
    @pytest.fixture
    def vcr_cassette_name(request):
        return f"capitals/of_{request.node.name}"
"""


@pytest.fixture
def moved(project, provide):
    """A project whose one cassette stands where pytest-vcr writes it; the provider is gone."""
    base, _, stop = provide("Paris")
    module(project, base, CAPITAL)
    project.runpytest("--vcr-record=once").assert_outcomes(passed=1)
    stop()
    project.base = base
    path = project.path / "cassettes" / "test_geo" / "test_capital.yaml"
    project.flat = project.path / "cassettes" / "test_capital.yaml"
    path.rename(project.flat)
    path.parent.rmdir()
    return project


def test_a_cassette_beside_those_of_other_modules_is_played(moved):
    moved.runpytest().assert_outcomes(passed=1)


def test_it_is_added_to_where_it_is(moved, provide):
    base, *_ = provide("Rome")
    module(moved, base, CAPITAL.replace("Paris", "Rome"))
    moved.runpytest("--vcr-record=new_episodes").assert_outcomes(passed=1)
    assert moved.flat.read_text("utf-8").count("request:") == 2
    assert [path.name for path in moved.flat.parent.iterdir()] == ["test_capital.yaml"]


def test_the_modules_own_cassette_comes_first(moved):
    own = moved.path / "cassettes" / "test_geo" / "test_capital.yaml"
    own.parent.mkdir()
    own.write_text("version: 1\ninteractions: []\n", "utf-8")
    moved.runpytest().assert_outcomes(failed=1)


def test_a_class_is_part_of_the_name_as_there(moved):
    moved.flat.rename(moved.flat.with_name("TestCapitals.test_capital[France].yaml"))
    module(
        moved,
        moved.base,
        """
    @pytest.mark.vcr
    class TestCapitals:
        @pytest.mark.parametrize("country", ["France"])
        def test_capital(self, country):
            assert ask(f"What is the capital of {country}?") == "Paris"
    """,
    )
    moved.runpytest().assert_outcomes(passed=1)


def test_names_with_folders_in_them_are_of_that_folder(moved):
    (moved.path / "cassettes" / "capitals").mkdir()
    moved.flat.rename(moved.path / "cassettes" / "capitals" / "of_test_capital.yaml")
    module(moved, moved.base, NAMED, CAPITAL)
    moved.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("folder", ["cassettes/test_geo", "cassettes"])
def test_a_cassette_in_the_folder_that_a_project_says_is_looked_for_there_alone(moved, folder):
    says = f"""
    @pytest.fixture(scope="module")
    def vcr_cassette_dir(request):
        return str(request.path.parent / "{folder}")
    """
    module(moved, moved.base, says, CAPITAL)
    moved.runpytest().assert_outcomes(**{"passed" if folder == "cassettes" else "failed": 1})


def test_who_names_cassettes_as_there_has_new_ones_there(project, provide):
    base, *_ = provide("Paris")
    module(project, base, NAMED, CAPITAL)
    project.runpytest("--vcr-record=once").assert_outcomes(passed=1)
    assert (project.path / "cassettes" / "capitals" / "of_test_capital.yaml").is_file()


def test_who_asks_for_the_fixture_needs_no_mark(moved):
    module(moved, moved.base, UNMARKED)
    moved.runpytest("-m", "vcr").assert_outcomes(passed=1)


def test_a_fixture_of_that_name_of_a_project_is_its_own(project):
    project.makepyfile("""
        import pytest

        @pytest.fixture
        def vcr_cassette():
            return "mine"

        def test_it(vcr_cassette, request):
            assert vcr_cassette == "mine"
            assert request.node.get_closest_marker("vcr") is None
    """)
    project.runpytest("--strict-markers").assert_outcomes(passed=1)


def test_without_cassettes_it_goes_live(moved, provide):
    base, *_ = provide("Rome")
    module(moved, base, CAPITAL.replace("Paris", "Rome"))
    before = moved.flat.read_bytes()
    moved.runpytest("--disable-vcr").assert_outcomes(passed=1)
    assert moved.flat.read_bytes() == before


def test_options_of_a_conftest_stay_its_own(project):
    project.makeconftest("""
        def pytest_addoption(parser):
            parser.addoption("--vcr-record", default="theirs")
    """)
    project.makepyfile('def test_it(pytestconfig):\n    assert pytestconfig.getoption("--vcr-record") == "theirs"')
    project.runpytest().assert_outcomes(passed=1)


SERVING = """
    import pytest

    @pytest.fixture
    def vcr_config():
        return {}

    @pytest.fixture
    def vcr():
        return "theirs"
"""


@pytest.mark.parametrize(
    "option", ["", "parser.addoption('--record-mode')", "parser.addoption('--record-mode', default='all')"]
)
def test_the_mark_is_anothers_where_a_plugin_serves_it(project, option):
    hook = f"\n\ndef pytest_addoption(parser):\n    {option or 'pass'}\n"
    project.makepyfile(serving=textwrap.dedent(SERVING) + hook)
    project.makepyfile("""
        import pytest

        @pytest.mark.vcr(their_option=1)
        def test_it(vcr, pytestconfig):
            assert vcr == "theirs"
            assert not pytestconfig.pluginmanager.has_plugin("replay_agent.pytest_plugin.vcr.fixtures")
    """)
    project.syspathinsert()
    project.runpytest("-p", "serving").assert_outcomes(passed=1)


# --- the object that `vcr` is there -----------------------------------------------------------------------------------

OBJECT = """
    import json
    from vcr import VCR

    class Spaced:
        @staticmethod
        def serialize(document):
            return json.dumps(document, indent=8)

        @staticmethod
        def deserialize(text):
            return json.loads(text)

    @pytest.fixture(scope="{scope}", autouse=True)
    def configured(vcr):
        assert isinstance(vcr, VCR)
        vcr.register_serializer("yaml", Spaced)
        vcr.before_record_request = without_agent
        vcr.decode_compressed_response = True
        return vcr

    def without_agent(request):
        request.headers.pop("user-agent", None)
        return request

    @pytest.fixture(scope="module")
    def vcr_config():
        return {{"filter_headers": ["authorization"]}}

    def test_object(vcr, configured):
        assert vcr is configured
        assert vcr.cassette_library_dir.endswith("cassettes")
"""


@pytest.fixture
def of_object(project, provide):
    """A project that was recorded through the object; the provider is gone."""
    base, _, stop = provide("Paris")
    project.base = base
    module(project, base, OBJECT.format(scope="module"), CAPITAL)
    project.runpytest("--vcr-record=once").assert_outcomes(passed=2)
    stop()
    project.flat = project.path / "cassettes" / "test_capital.yaml"
    return project


def test_the_object_says_how_cassettes_are_written_and_read(of_object):
    text = of_object.flat.read_text("utf-8")
    assert text.startswith('{\n        "')
    assert "user-agent" not in text.lower()
    of_object.runpytest().assert_outcomes(passed=2)


def test_a_class_has_its_object_too(of_object):
    module(of_object, of_object.base, OBJECT.format(scope="class"), CAPITAL)
    of_object.runpytest().assert_outcomes(passed=2)


def test_a_miss_is_told_as_ever(of_object):
    module(of_object, of_object.base, OBJECT.format(scope="module"), CAPITAL, CAPITAL.replace("capital()", "other()"))
    result = of_object.runpytest()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*--record-mode=*"])


def test_the_conversation_is_there_for_who_asks(of_object):
    asks = CAPITAL.replace("capital()", "capital(replay, vcr_cassette)") + "        assert vcr_cassette.all_played\n"
    module(
        of_object, of_object.base, OBJECT.format(scope="module"), asks + "        assert len(replay.requests) == 1\n"
    )
    of_object.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize("says", ['vcr.record_mode = "once"', 'vcr.cassette_library_dir += "/own"'])
def test_what_is_set_on_the_object_counts(of_object, provide, says):
    base, *_ = provide("Rome")
    of_object.flat.unlink()
    source = OBJECT.format(scope="module").replace("return vcr\n", f"{says}\n        return vcr\n", 1)
    source = source.replace('.endswith("cassettes")', "")
    module(of_object, base, source, CAPITAL.replace("Paris", "Rome"))
    of_object.runpytest("--vcr-record=once").assert_outcomes(passed=2)
    own = of_object.flat.parent / "own" / "test_capital.yaml"
    assert [path for path in (of_object.flat, own) if path.is_file()] == [own if "own" in says else of_object.flat]
    of_object.runpytest("--vcr-record=none").assert_outcomes(passed=2)


def test_rewriting_is_known_to_the_object(of_object, provide):
    base, *_ = provide("Rome")
    module(of_object, base, OBJECT.format(scope="module"), CAPITAL.replace("Paris", "Rome"))
    of_object.runpytest("--record-mode=rewrite").assert_outcomes(passed=2)
    assert "Rome" in of_object.flat.read_text("utf-8")
    assert "Paris" not in of_object.flat.read_text("utf-8")


def test_the_module_beside_it_has_the_cassette(of_object):
    module(of_object, of_object.base, "@pytest.mark.vcr\ndef test_it(vcr):\n    assert len(vcr) == 0", name="test_sea")
    of_object.runpytest().assert_outcomes(passed=3)


def test_folder_and_settings_of_the_object_are_the_projects(project):
    project.makepyfile("""
        import pytest

        @pytest.fixture(scope="module")
        def vcr_config():
            return {"record_mode": "new_episodes"}

        @pytest.fixture(scope="module")
        def vcr_cassette_dir():
            return "elsewhere"

        @pytest.fixture(scope="module")
        def configured(vcr):
            return vcr

        def test_it(configured):
            assert configured.cassette_library_dir == "elsewhere"
            assert configured.record_mode.value == "new_episodes"

        @pytest.mark.vcr
        def test_marked(configured, vcr_cassette):
            assert vcr_cassette.record_mode.value == "new_episodes"
            assert str(vcr_cassette._path) == "elsewhere/test_marked.yaml"
    """)
    project.runpytest().assert_outcomes(passed=2)


def test_what_neither_plugin_gives_is_refused(project):
    project.makepyfile("""
        import pytest

        @pytest.fixture(scope="session")
        def configured(vcr):
            return vcr

        def test_it(configured):
            pass
    """)
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ScopeMismatch*"])
