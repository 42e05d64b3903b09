from __future__ import annotations

import os

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.page.writing import write_whole


def test_a_file_and_its_folder_are_written(tmp_path):
    path = tmp_path / "new" / "page.html"
    write_whole(path, "caf\u00e9")
    assert path.read_text("utf-8") == "caf\u00e9"
    assert [each.name for each in path.parent.iterdir()] == ["page.html"]


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_what_was_there_stays_where_writing_fails(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half a character: \ud800")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("page.html", "old")]


def test_nothing_is_left_of_what_cannot_take_its_place(tmp_path):
    taken = tmp_path / "page.html"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(UserError, match=r"page\.html cannot be written: .* Name a file in a folder that can be\."):
        write_whole(taken, "new")
    assert list(tmp_path.iterdir()) == [taken]


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(tmp_path / "file" / "page.html", "new")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_others_may_read_it(tmp_path):
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "page.html", "new")
    finally:
        os.umask(before)
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o644
