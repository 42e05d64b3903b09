from __future__ import annotations

import pytest

from replay_agent.cli.upkeep.amber import move_entries

HEAD = "# serializer version: 1\n"


def entries(*names):
    return "".join(f"# name: {name}\n  'value of {number}\n  # name: no head'\n# ---\n" for number, name in names)


@pytest.fixture
def files(tmp_path):
    source = tmp_path / "__snapshots__" / "test_a.ambr"
    source.parent.mkdir()

    def write(*names):
        source.write_text(HEAD + entries(*enumerate(names)), "utf-8", newline="\n")
        return source

    return write


def names(path):
    return [line.removeprefix("# name: ") for line in path.read_text("utf-8").splitlines() if line.startswith("# name")]


@pytest.mark.parametrize(
    ("there", "before", "after", "then"),
    [
        (["test_b", "test_b.1", "test_c"], "test_b", "test_z", ["test_c", "test_z", "test_z.1"]),
        (["test_b[x]", "test_bc"], "test_b", "test_a", ["test_a[x]", "test_bc"]),
        (
            ["test_b[1.5]", "test_b[1.5].1", "test_b[2]"],
            "test_b[1.5]",
            "test_c[1.5]",
            ["test_b[2]", "test_c[1.5]", "test_c[1.5].1"],
        ),
        (["T.test_b", "test_b"], "T.test_b", "U.test_b", ["U.test_b", "test_b"]),
    ],
)
def test_entries_of_a_test_are_renamed_in_its_file(files, there, before, after, then):
    path = files(*there)
    said = sorted(line for line in path.read_text("utf-8").splitlines() if not line.startswith("# name: "))
    assert move_entries(path, path, before, after)
    assert names(path) == then
    assert sorted(line for line in path.read_text("utf-8").splitlines() if not line.startswith("# name: ")) == said
    assert path.read_text("utf-8").startswith(HEAD)


@pytest.mark.parametrize("existing", [False, True])
def test_entries_move_to_another_file(files, tmp_path, existing):
    path = files("test_b", "test_c")
    target = tmp_path / "deep" / "__snapshots__" / "test_a.ambr"
    if existing:
        target.parent.mkdir(parents=True)
        target.write_text(HEAD + entries((0, "test_z")), "utf-8")
    assert move_entries(path, target, "test_b", "test_b")
    assert names(path) == ["test_c"]
    assert names(target) == ["test_b", *(["test_z"] if existing else [])]
    assert move_entries(path, target, "test_c", "test_c")
    assert not path.exists()


@pytest.mark.parametrize(("before", "after"), [("test_x", "test_y"), ("test_b", "test_c"), ("test", "tests")])
def test_nothing_is_moved_where_there_is_nothing_or_something_is_in_the_way(files, before, after):
    path = files("test_b", "test_c")
    text = path.read_bytes()
    assert not move_entries(path, path, before, after)
    assert path.read_bytes() == text


def test_without_a_file_there_is_nothing_to_move(tmp_path):
    assert not move_entries(tmp_path / "a.ambr", tmp_path / "b.ambr", "test_a", "test_b")
    assert list(tmp_path.iterdir()) == []
