"""The network from one replayed test to the next, in sessions that replay, and left alone elsewhere."""

from __future__ import annotations

import pytest

WATCHING = """
    import pytest
    from replay_agent.recording.process import network

    seen = []

    class Watcher:
        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logstart(self, nodeid):
            seen.append(("start", network.is_shut()))

        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logfinish(self, nodeid):
            seen.append(("finish", network.is_shut()))

        def pytest_sessionfinish(self):
            print("AT THE END", network.is_shut())
            print("SEEN", " ".join(f"{when}={shut}" for when, shut in seen))

    def pytest_configure(config):
        config.pluginmanager.register(Watcher())
"""
TESTS = """
    import pytest
    from replay_agent.recording.process import network

    @pytest.mark.replay
    def test_one(): assert network.is_shut()

    @pytest.mark.replay
    def test_two(): assert network.is_shut()

    def test_free(): assert not network.is_shut()

    def test_free_too(): assert not network.is_shut()

    @pytest.mark.replay(record_mode="once")
    def test_recording(): assert not network.is_shut()

    @pytest.mark.replay
    def test_three(): assert network.is_shut()
"""


@pytest.fixture
def project(pytester):
    pytester.makeconftest(WATCHING)
    return pytester


def seen(result):
    (line,) = (line for line in result.outlines if line.startswith("SEEN"))
    return line.split()[1:]


def test_it_is_shut_between_replayed_tests_and_open_for_others(project):
    project.makepyfile(TESTS)
    result = project.runpytest("-s", "-p", "no:randomly", "--replay-mode=none", "-k", "not recording")
    result.assert_outcomes(passed=5, deselected=1)
    finishes = [each for each in seen(result) if each.startswith("finish")]
    assert finishes[:2] == ["finish=True", "finish=True"]  # the second is within its own protocol still
    assert finishes[2:4] == ["finish=False", "finish=False"]
    result.stdout.fnmatch_lines("*AT THE END False")


def test_a_test_that_may_record_finds_it_open(project):
    project.makepyfile(
        """
        import pytest
        from replay_agent.recording.process import network

        @pytest.mark.replay
        def test_one(): assert network.is_shut()

        @pytest.mark.replay(record_mode="once")
        def test_recording(): assert not network.is_shut()

        @pytest.mark.replay
        def test_two(): assert network.is_shut()
        """
    )
    result = project.runpytest("-s", "-p", "no:randomly")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines("*AT THE END False")


def test_a_session_that_records_is_left_open(project):
    project.makepyfile(
        "import pytest\n@pytest.mark.replay\ndef test_one(): pass\n@pytest.mark.replay\ndef test_two(): pass\n"
    )
    result = project.runpytest("-s", "--replay-mode=once")
    result.assert_outcomes(passed=2)
    assert {each.partition("=")[2] for each in seen(result)} == {"False"}


def test_a_fixture_that_fails_leaves_it_as_it_should_be(project):
    project.makepyfile(
        """
        import pytest
        from replay_agent.recording.process import network

        @pytest.fixture
        def broken(): raise ValueError

        @pytest.mark.replay
        def test_one(broken): pass

        def test_free(): assert not network.is_shut()

        @pytest.mark.replay
        def test_two(): assert network.is_shut()
        """
    )
    result = project.runpytest("-s", "-p", "no:randomly")
    result.assert_outcomes(passed=2, errors=1)


def test_allowed_hosts_are_open_between_too(project):
    project.makepyfile(
        """
        import pytest
        from replay_agent.recording.process import network

        @pytest.fixture(autouse=True)
        def at_the_end():
            yield
            network.active().check_lookup("example.org")

        @pytest.mark.replay
        def test_one(): pass

        @pytest.mark.replay
        def test_two(): pass
        """
    )
    result = project.runpytest("--allowed-hosts=example.org")
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("stop", ["-x", "--maxfail=1"])
def test_a_session_that_stops_before_the_next_test_ends_open(project, stop):
    project.makepyfile(
        "import pytest\n@pytest.mark.replay\ndef test_one(): assert 0\n@pytest.mark.replay\ndef test_two(): pass\n"
    )
    result = project.runpytest("-s", stop, "--replay-mode=none")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*AT THE END False")
