from __future__ import annotations

import subprocess
import sys

import pytest

from replay_agent.cli import main
from replay_agent.cli.review.waiting import chosen, deciding, find_state, waiting
from replay_agent.exceptions import UserError
from tests.report.review.open_changes import drift, keep


def test_it_is_found_from_folders_within(tmp_path):
    state = keep(tmp_path, [drift()])
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_state(tmp_path / "a" / "b") == state
    assert len(waiting(state)) == 1


def test_it_is_found_where_the_ini_file_has_the_cache(tmp_path):
    state = keep(tmp_path, [drift()])
    (tmp_path / ".pytest_cache").rename(tmp_path / "elsewhere")
    assert find_state(tmp_path) is None
    (tmp_path / "pytest.ini").write_text("[pytest]\ncache_dir = elsewhere\n")
    assert find_state(tmp_path) == tmp_path / "elsewhere" / state.relative_to(tmp_path / ".pytest_cache")


def test_ids_may_be_cut_short_as_long_as_they_are_plain():
    one, two = drift("a"), drift("b")
    assert chosen([one, two], [one.id[:5], two.id, two.id]) == ([one, two], [])
    assert chosen([one], ["", one.id[:3], "feedbeef"]) == ([], ["", one.id[:3], "feedbeef"])


def test_an_id_that_means_several_is_refused():
    class Same:
        def __init__(self, name):
            self.id = name

    with pytest.raises(UserError, match="several"):
        chosen([Same("abcd1"), Same("abcd2")], ["abcd"])


def test_only_one_decides(tmp_path):
    state = keep(tmp_path, [])
    with deciding(state):
        code = "import sys; from pathlib import Path; from replay_agent.cli.review.waiting import deciding\n"
        code += "with deciding(Path(sys.argv[1])): pass"
        found = subprocess.run([sys.executable, "-c", code, str(state)], capture_output=True, text=True, check=False)
    assert "is going on" in found.stderr
    with deciding(state):
        pass


def test_without_a_terminal_review_names_the_other_commands(tmp_path, monkeypatch, capsys):
    keep(tmp_path, [drift()])
    monkeypatch.chdir(tmp_path)
    assert main(["review"]) == 2
    assert "replay-agent pending" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["pending", "accept --all", "reject --all"])
def test_a_damaged_state_is_named(tmp_path, monkeypatch, capsys, command):
    (keep(tmp_path, []) / "pending.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    assert "run pytest again" in capsys.readouterr().err
