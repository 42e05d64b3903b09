from __future__ import annotations

import pytest

from replay_agent.cli.upkeep.scan import Leak, Unread, scan_files

KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 2


def test_a_key_is_found_with_file_and_line_and_not_shown(tmp_path):
    (tmp_path / "c.yaml").write_text(f"version: 1\nbody: 'the key is {KEY}'\n")
    (leak,) = scan_files([tmp_path])
    assert str(leak).startswith(f"{tmp_path / 'c.yaml'}:2: openai-key: ")
    assert KEY not in str(leak)


def test_folders_are_searched_for_what_recorders_write(tmp_path):
    for name in "a.yaml", "b/c.json", "b/.d.journal", "s/__snapshots__/t.run.snap", "program.py":
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(KEY)
    assert [leak.path.name for leak in scan_files([tmp_path])] == ["a.yaml", ".d.journal", "c.json", "t.run.snap"]


def test_a_file_is_searched_whatever_it_is_called(tmp_path):
    (tmp_path / "program.py").write_text(KEY)
    assert len(list(scan_files([tmp_path / "program.py"]))) == 1


@pytest.mark.parametrize("name", ["gone.yaml", "broken.yaml"])
def test_what_cannot_be_read_is_said_and_the_rest_is_searched(tmp_path, name):
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good.yaml").write_text(KEY)
    unread, leak = scan_files([tmp_path / name, tmp_path / "good.yaml"])
    assert isinstance(unread, Unread)
    assert str(unread) == f"{tmp_path / name} was not searched: it is not there"
    assert isinstance(leak, Leak)


def test_a_file_that_turns_out_unreadable_is_said(tmp_path, monkeypatch):
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    for path in bad, good:
        path.write_text(KEY)
    read = type(bad).read_bytes

    def refuse(path):
        if path.name == "bad.yaml":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(type(bad), "read_bytes", refuse)
    unread, leak = scan_files([tmp_path])
    assert str(unread) == f"{bad} was not searched: Permission denied"
    assert leak.path == good
