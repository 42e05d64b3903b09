"""What a terminal shows while a command works, and what is left there; a stand-in for one that knows what its lines hold."""

from __future__ import annotations

import io
import shutil
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from replay_agent.cli import main
from replay_agent.cli.output import busy
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.traffic import Interaction
from tests.report.page.samples import answer, call, user

FILES = 60
SECRET = "sk-proj-9f8Q2kLmZx7Rt4Wb1Vc6Ny3Hs5Jd0Pg"


class Terminal(io.StringIO):
    """Keeps everything that was ever shown; `lines` are what stands there at the end."""

    def isatty(self):
        return True

    @property
    def lines(self):
        return [line.rsplit("\r\x1b[K", 1)[-1] for line in self.getvalue().split("\n")]


@contextmanager
def at_a_terminal():
    shown = Terminal()
    with redirect_stdout(shown), redirect_stderr(shown):
        yield shown


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = tmp_path / "many" / "test_0.yaml"
    store.save(first, Header(), [new_item(Interaction(call(user(f"My key is {SECRET}")), answer("Paris")), None)])
    for number in range(1, FILES):
        shutil.copy(first, first.with_name(f"test_{number}.yaml"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told", "result"),
    [
        ("convert many out --to vcrpy", "60 of 60 converted", r"many/test_7.yaml -> out/test_7.yaml: 1 interaction"),
        ("scan many", "60 of 60 searched", "many/test_7.yaml:"),
        ("stats many", "60 of 60 read", "many: 60 cassettes"),
        ("diff many many", "", "no difference"),
        ("scan --baseline b.json --write-baseline many", "60 of 60 searched", "findings are accepted from now on"),
    ],
)
def test_results_stand_on_lines_of_their_own(folder, words, told, result):
    with at_a_terminal() as terminal:
        main(words.split(" "))
    assert told in terminal.getvalue()
    assert any(line.lower().startswith(result.lower()) or result in line for line in terminal.lines)
    assert not [line for line in terminal.lines if " of 60 " in line]
    assert terminal.lines[-1] == ""


@pytest.mark.parametrize("words", ["convert many out --to vcrpy", "scan many", "stats many"])
def test_nothing_is_shown_where_nobody_watches(folder, capsys, words):
    main(words.split(" "))
    assert "\x1b" not in "".join(capsys.readouterr())


def test_what_takes_its_time_is_said_and_goes_away():
    with at_a_terminal() as terminal, busy("counting sheep"):
        assert terminal.getvalue().endswith("counting sheep ...")
    assert terminal.lines == [""]


def test_what_takes_its_time_is_said_to_terminals_only(capsys):
    with busy("counting sheep"):
        pass
    assert "".join(capsys.readouterr()) == ""
