from __future__ import annotations

import pytest

from replay_agent import cli
from replay_agent.cli.upkeep.journals import chosen, drop, find_journals
from replay_agent.exceptions import UserError
from replay_agent.recording.cassettes.journal import Journal, new_journal_path
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.traffic import Chunk, Interaction, Request, Response

TEST = "tests/test_geo.py::test_a"


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """A project with one unfinished recording."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    path = new_journal_path(tmp_path / "cassettes" / "geo.yaml", TEST)
    made = Journal(path, Header("k", "2026-11-27T10:32:00Z", extra={"cassette": "cassettes/geo.yaml"}))
    request = Request("POST", "https://a.example/v1/things", body=b"{}")
    made.append(new_item(Interaction(request, Response(200, chunks=(Chunk(b"paid for"),)), TEST), None))
    yield made
    made.close()


@pytest.fixture
def left(journal):
    journal.close()
    return journal.path


def test_a_journal_says_what_it_is_for(left, capsys):
    assert cli.main(["journals"]) == 1
    said = capsys.readouterr().out
    for word in (left.name, "1 answer", "cassettes/geo.yaml", TEST, "2026-11-27T10:32:00Z"):
        assert word in said


def test_without_journals_all_is_well(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["journals"]) == 0
    assert capsys.readouterr().out == ""


def test_what_was_answered_is_shown(left, capsys):
    assert cli.main(["journals", "show", TEST]) == 0
    assert "https://a.example/v1/things" in capsys.readouterr().out


@pytest.mark.parametrize("name", [TEST, "geo.yaml", "cassettes/geo.yaml"])
def test_a_journal_is_dropped_by_any_of_its_names(left, name):
    assert cli.main(["journals", "drop", name, "--yes"]) == 0
    assert not left.parent.parent.exists()


def test_a_name_that_means_none_is_misuse(left, capsys):
    assert cli.main(["journals", "drop", "test_b", "--yes"]) == 2
    assert left.name in capsys.readouterr().err
    assert left.exists()
    with pytest.raises(UserError, match="test_b"):
        chosen(find_journals(left.parent), ["test_b"])


def test_a_journal_that_is_being_written_stays(journal, capsys):
    assert cli.main(["journals", "drop", "--yes"]) == 1
    assert journal.path.exists()
    assert "being written" in capsys.readouterr().err


def test_one_that_cannot_be_read_is_listed_and_dropped(left):
    left.write_bytes(b"nothing")
    (found,) = find_journals(left.parent)
    assert found.trouble
    assert drop(found)
    assert find_journals(left.parent) == []
