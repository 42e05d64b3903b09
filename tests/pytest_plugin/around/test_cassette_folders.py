"""Folders in which pytest does not look for tests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from replay_agent.pytest_plugin.around.cassette_folders import CassetteFolders, holds_only_cassettes

OURS = "version: 1\nlibrary: pytest-replay-agent 0.1.0\nkeying: meaning-2\ninteractions:\n- test: x\n"
THEIRS = "interactions:\n- request: {}\n"


@pytest.mark.parametrize(
    ("files", "only"),
    [
        ({"test_a.yaml": OURS, "test_b.yaml": OURS}, True),
        ({"test_a.yaml": THEIRS}, True),
        ({"test_a.yml": f"version: 1\n{THEIRS}"}, True),
        ({}, False),
        ({"test_a.yaml": OURS, "test_a.py": ""}, False),
        ({"test_a.yaml": OURS, "conftest.py": ""}, False),
        ({"test_a.yaml": OURS, "notes.txt": ""}, False),
        ({"test_a.yaml": "test_name: a test of another plugin\nstages: []\n"}, False),
        ({"test_a.yaml": "- the interactions: of a list\n"}, False),
        ({"test_a.yaml": ""}, False),
        ({"test_a.yaml/deeper.yaml": OURS}, False),
    ],
)
def test_a_folder_of_cassettes_is_known_by_what_is_in_it(tmp_path, files, only):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert holds_only_cassettes(str(tmp_path)) is only


def test_a_file_and_what_is_not_there_are_no_folders(tmp_path):
    (tmp_path / "a.yaml").write_text(OURS)
    assert not holds_only_cassettes(str(tmp_path / "a.yaml"))
    assert not holds_only_cassettes(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("folder", "passed"),
    [
        ("cassettes/test_a", True),
        ("tests/cassettes/test_a", True),
        ("recorded/test_a", True),
        ("data/test_a", False),
        ("cassettes_of_mine/test_a", False),
    ],
)
def test_it_lies_in_a_folder_of_cassettes(tmp_path, folder, passed):
    nobody = SimpleNamespace(pytest_collect_file=SimpleNamespace(get_hookimpls=list))
    config = SimpleNamespace(
        getini={"replay_cassette_dir": "tests/recorded"}.get,
        getoption={}.get,
        pluginmanager=SimpleNamespace(hook=nobody),
    )
    place = tmp_path / folder
    place.mkdir(parents=True)
    (place / "test_it.yaml").write_text(OURS)
    assert (CassetteFolders(config).pytest_ignore_collect(place) is True) is passed


LISTED = """
    import pytest

    seen = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(collection_path):
        if collection_path.is_file():
            seen.append(collection_path.name)

    def pytest_terminal_summary(terminalreporter):
        terminalreporter.line(f"looked at {' '.join(sorted(seen))}")
"""


LOOKED_AT = {
    (): {"test_b.py", "test_three.yaml"},
    ("cassettes",): {"test_b.py", "test_three.yaml"},
    ("cassettes/test_a",): {"test_one.yaml", "test_two.yaml"},
}


@pytest.mark.parametrize("asked", LOOKED_AT)
def test_pytest_looks_at_tests_alone_unless_it_is_asked_for_more(pytester, asked):
    pytester.makeconftest(LISTED)
    pytester.makepyfile(test_it="def test_one(): pass")
    folder = pytester.path / "cassettes/test_a"
    folder.mkdir(parents=True)
    for name in "test_one.yaml", "test_two.yaml":
        (folder / name).write_text(OURS)
    among = pytester.path / "cassettes/test_b"
    among.mkdir()
    (among / "test_three.yaml").write_text(OURS)
    (among / "test_b.py").write_text("def test_three(): pass")
    result = pytester.runpytest("-p", "no:cacheprovider", *asked)
    (line,) = (line for line in result.outlines if line.startswith("looked at "))
    assert set(line.split()[2:]) - {"conftest.py", "test_it.py"} == LOOKED_AT[asked]


YAML_TESTS = """
    import pytest

    class YamlTest(pytest.Item):
        def runtest(self):
            assert "interactions" in self.path.read_text()

    class YamlFile(pytest.File):
        def collect(self):
            yield YamlTest.from_parent(self, name="it_reads")

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".yaml":
            return YamlFile.from_parent(parent, path=file_path)
"""


def cassettes_of_two_tests(pytester):
    folder = pytester.path / "cassettes/test_a"
    folder.mkdir(parents=True)
    for name in "test_one.yaml", "test_two.yaml":
        (folder / name).write_text(f"{OURS}>>> 1 + 1\n2\n")


def test_whoever_makes_tests_of_such_files_gets_them(pytester):
    cassettes_of_two_tests(pytester)
    pytester.makeconftest(YAML_TESTS)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_so_do_doctests(pytester):
    cassettes_of_two_tests(pytester)
    pytester.runpytest("-p", "no:cacheprovider", "--doctest-glob=*.yaml").assert_outcomes(passed=2)
