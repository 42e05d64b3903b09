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
