from __future__ import annotations

import pytest

from tests.pytest_plugin.vcr.older import on_vcrpy_that_names_its_file

pytestmark = on_vcrpy_that_names_its_file

CONFTEST = """
    import pytest

    set_up = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(fixturedef):
        set_up.append(fixturedef.argname)
        return (yield)

    @pytest.fixture
    def set_up_so_far():
        return set_up
"""
ASKED = """
    import pytest

    pytestmark = pytest.mark.vcr

    def test_first(vcr): pass

    def test_second(vcr, set_up_so_far):
        assert vcr.path.endswith("{path}"), vcr.path
        print("SET UP", set_up_so_far[set_up_so_far.index("vcr") + 1 :])
"""


@pytest.fixture
def project(pytester):
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider -p no:xdist\n")
    pytester.makeconftest(CONFTEST)
    return pytester


def test_one_fixture_is_set_up_for_a_test(project):
    project.makepyfile(test_it=ASKED.format(path="cassettes/test_it/test_second.yaml"))
    result = project.runpytest("-s")
    result.assert_outcomes(passed=2)
    assert "SET UP ['vcr', 'set_up_so_far']" in result.stdout.str()


OVERRIDING = {
    "default_cassette_name": ("default_cassette_name", "function", "'mine'", "cassettes/test_it/mine.yaml"),
    "vcr_cassette_dir": ("vcr_cassette_dir", "module", "'elsewhere'", "elsewhere/test_second.yaml"),
    "vcr_config": ("vcr_config", "session", "{'serializer': 'json'}", "test_second.json"),
    "vcr_markers": ("vcr_markers", "function", "[pytest.mark.vcr(serializer='json').mark]", "test_second.json"),
    "a name of a class": ("default_cassette_name", "class", "'mine'", "cassettes/test_it/mine.yaml"),
}


@pytest.mark.parametrize("home", ["conftest", "test_it"])
@pytest.mark.parametrize(("name", "scope", "value", "path"), OVERRIDING.values(), ids=OVERRIDING)
def test_an_overriding_fixture_is_used(project, home, name, scope, value, path):
    fixture = f"""
    @pytest.fixture(scope="{scope}")
    def {name}():
        return {value}
    """
    asked = ASKED.format(path=path)
    project.makepyfile(test_it=asked + fixture if home == "test_it" else asked)
    project.makepyfile(conftest=CONFTEST + fixture if home == "conftest" else CONFTEST)
    project.runpytest().assert_outcomes(passed=2)


def test_an_overriding_fixture_may_ask_for_ours(project):
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def default_cassette_name(default_cassette_name):
            return f"my_{default_cassette_name}"

        @pytest.mark.vcr
        class TestIt:
            @pytest.fixture
            def vcr_cassette_dir(self, vcr_cassette_dir):
                return vcr_cassette_dir.replace("cassettes", "records")

            def test_in_class(self, vcr):
                assert vcr.path.endswith("records/test_an_overriding_fixture_may_ask_for_ours/my_TestIt.test_in_class.yaml")

        @pytest.mark.vcr
        def test_beside(vcr):
            assert vcr.path.endswith("cassettes/test_an_overriding_fixture_may_ask_for_ours/my_test_beside.yaml")
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_a_parameter_may_stand_for_one(project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.vcr
        @pytest.mark.parametrize("default_cassette_name", ["one", "two"])
        def test_it(vcr, default_cassette_name):
            assert vcr.path.endswith(f"/{default_cassette_name}.yaml")
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_whoever_disables_recording_is_heard(project):
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def disable_recording():
            return True

        @pytest.mark.vcr
        def test_it(vcr):
            assert vcr is None
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_a_record_mode_of_a_project_is_used(project):
    project.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def record_mode():
            return "once"

        @pytest.mark.vcr
        def test_it(vcr):
            assert vcr.record_mode.value == "once"
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_a_test_that_runs_again_is_read_again(project):
    project.makepyfile(
        """
        import pytest

        names = []

        @pytest.fixture
        def default_cassette_name():
            names.append(f"run{len(names)}")
            return names[-1]

        @pytest.mark.vcr
        def test_it(vcr):
            assert vcr.path.endswith(f"/{names[-1]}.yaml")
            print("NAMES", names)
        """
    )
    project.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            if hasattr(item, "_initrequest"):
                runtestprotocol(item, nextitem=None, log=False)
                item._initrequest()
        """
    )
    result = project.runpytest("-s")
    result.assert_outcomes(passed=1)
    assert "NAMES ['run0', 'run1']" in result.stdout.str()
