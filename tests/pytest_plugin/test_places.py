from __future__ import annotations

from pathlib import Path

import pytest

from replay_agent.pytest_plugin.places import cassette_of, file_name_of, module_folder, nodeid, snapshot_name_of
from replay_agent.recording.cassettes import store
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import make

ROOT = Path("/project")


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("test_x.py", "cassettes/test_x"),
        ("tests/test_x.py", "cassettes/test_x"),
        ("tests/geo/test_x.py", "cassettes/geo/test_x"),
        ("src/tests/test_x.py", "cassettes/src/tests/test_x"),
    ],
)
def test_the_folder_of_a_module(path, folder):
    assert module_folder(ROOT / path, ROOT, "cassettes") == ROOT / folder


@pytest.mark.parametrize("path", ["test_x.py", "geo/test_x.py", "geo/deep/test_x.py"])
def test_modules_that_differ_by_a_leading_tests_have_folders_of_their_own(tmp_path, path):
    for module in (tmp_path / path, tmp_path / "tests" / path):
        module.parent.mkdir(parents=True, exist_ok=True)
        module.touch()
    in_tests = module_folder(tmp_path / "tests" / path, tmp_path, "cassettes")
    outside = module_folder(tmp_path / path, tmp_path, "cassettes")
    assert in_tests == tmp_path / "cassettes" / Path(path).with_suffix("")
    assert outside.parent == in_tests.parent
    assert outside.name.startswith("test_x-")


def test_modules_beyond_the_rootdir_have_folders_of_their_own(tmp_path):
    root, elsewhere = tmp_path / "a", tmp_path / "b"
    paths = [root / "test_x.py", elsewhere / "test_x.py", elsewhere / "deep" / "test_x.py"]
    folders = {module_folder(path, root, "cassettes") for path in paths}
    assert len(folders) == 3
    assert all(folder.parent == root / "cassettes" for folder in folders)


MODULE = """
    import pytest

    def test_plain(): ...

    class TestGeo:
        def test_x(self): ...
        def test_own(self): ...
        class TestInner:
            def test_x(self): ...
            def test_only_here(self): ...

    class TestOther:
        class TestInner:
            def test_x(self): ...

    class TestINNER:
        def test_y(self): ...

    class TestDeep:
        class TestGeo:
            def test_x(self): ...
        class Testinner:
            def test_y(self): ...

    @pytest.mark.parametrize("key", ["sk-proj-Zk3vQ9xW7tLm2RbN8yHs", "sk-proj-Qw8vQ9xW7tLm2RbN8yHt", "short"])
    def test_key(key): ...
"""


@pytest.fixture
def items(pytester):
    found, _ = pytester.inline_genitems(pytester.makepyfile(test_geo=MODULE))
    return {item.nodeid.partition("::")[2]: item for item in found}


def test_no_two_tests_share_a_file(items):
    siblings = [item.name for item in items.values()]
    for name in (file_name_of, snapshot_name_of):
        files = [name(item, siblings).casefold() for item in items.values()]
        assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    ("test", "cassette", "snapshot"),
    [
        ("test_plain", "test_plain", "test_plain"),
        ("TestGeo::test_x", "TestGeo.test_x", "TestGeo.test_x"),
        ("TestGeo::TestInner::test_only_here", "TestInner.test_only_here", "TestGeo.TestInner.test_only_here"),
        ("test_key[short]", "test_key[short]", "test_key[short]"),
    ],
)
def test_names_that_meet_no_other_are_plain(items, test, cassette, snapshot):
    assert (file_name_of(items[test]), snapshot_name_of(items[test])) == (cassette, snapshot)


def test_a_key_in_a_test_id_is_in_no_name(items):
    keyed = [item for name, item in items.items() if "sk-proj" in name]
    names = [file_name_of(item, [item.name for item in keyed]) for item in keyed]
    assert len(set(names)) == 2
    assert not any("sk-proj" in name for name in (*names, *map(nodeid, keyed), *map(snapshot_name_of, keyed)))


TAIL = "Qz7Lk9Wm3PvXt5Rb2Ny8HfJd4Gs6Ac1"
KEYS = {
    "openai": "sk-" + "proj-" + TAIL,
    "github": "gh" + "p_a8Kd93jfKq0Zx7Lm2Vb5Nc1Qw4Er6Ty8UiOp",
    "aws": "AKIA" + "Q3EGR7LMXK2TVYZP",
    "google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "hugging face": "hf" + "_QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi",
    "bearer": f"Bearer {TAIL}",
    "address": f"https://a.example/x?api_key={TAIL}",
    "escaped": "\né sk-" + "ant-api03-" + TAIL,
    "variable": "word-of-the-environment-7391",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_any_key_among_others_in_a_test_id_is_in_no_name(pytester, monkeypatch, key):
    monkeypatch.setenv("SERVICE_API_KEY", KEYS["variable"])
    module = pytester.makepyfile(
        f"""
        import pytest
        @pytest.mark.parametrize("model", ["gpt-4o", "b"])
        @pytest.mark.parametrize("key", [{key!r}])
        @pytest.mark.parametrize("wordy", ["some-words", "eu-west-1"])
        def test_it(wordy, key, model): ...
        """
    )
    items, _ = pytester.inline_genitems(module)
    siblings = [item.name for item in items]
    names = [[name(item, siblings) for item in items] for name in (file_name_of, snapshot_name_of)]
    told = "".join((*names[0], *names[1], *map(nodeid, items)))
    assert not any(piece in told for piece in (key, key[-12:], TAIL[:12]))
    assert told.count("REDACTED(") == 3 * len(items)
    assert [len(set(each)) for each in names] == [4, 4]


@pytest.mark.parametrize(
    "id",
    [
        *("gpt-4o-2024-08-06-high-True-0.5", "6f1c7f3e-8a3e-4a6e-9c1a-0f7a3c2b1d4e", "password-reset-x-api-key-header"),
        *("anthropic-claude-3-5-sonnet-20241022-required", "api_key-abc123def456", "toolu_01A09q90qw90lq917835lq9-b"),
    ],
)
def test_other_ids_stay(pytester, id):
    module = pytester.makepyfile(f"import pytest\n@pytest.mark.parametrize('a', [{id!r}])\ndef test_it(a): ...\n")
    (item,), _ = pytester.inline_genitems(module)
    assert file_name_of(item) == f"test_it[{id}]"


def record(path, test):
    recording = make(path, "once", test=test).open()
    recording.begin(Request("GET", "http://a.test/")).finish(Response(200, (), (Chunk(b"x"),)))
    recording.close()
    assert store.load(path)


def test_a_file_under_the_name_that_tests_shared_is_played_by_the_test_that_recorded_it(items):
    one, other = items["TestGeo::TestInner::test_x"], items["TestOther::TestInner::test_x"]
    fresh = cassette_of(one)
    former = fresh.with_name("TestInner.test_x.yaml")
    assert fresh != former
    record(former, nodeid(one))
    assert (cassette_of(one), cassette_of(other).name != former.name) == (former, True)
    record(fresh, nodeid(one))
    assert cassette_of(one) == fresh
