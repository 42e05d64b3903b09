from __future__ import annotations

import pytest

from replay_agent.commands.scan import scan_files
from replay_agent.exceptions import UserError

KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 2


def test_a_key_is_found_with_file_and_line_and_not_shown(tmp_path):
    (tmp_path / "c.yaml").write_text(f"version: 1\nbody: 'the key is {KEY}'\n")
    (leak,) = scan_files([tmp_path])
    assert str(leak).startswith(f"{tmp_path / 'c.yaml'}:2: ")
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


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.yaml is not there"):
        list(scan_files([tmp_path / "gone.yaml"]))
