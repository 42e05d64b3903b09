"""Every command: right use, misuse, nothing to do, what cannot be read, a pipe that breaks, no terminal, very many files.

A table with a row for each command that the parser has, and a column for each of these. Where a column makes no sense for a
command, the row says why. Ctrl-C: test_interrupts.py.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TextIO

import pytest

from replay_agent.cli import main, parser
from replay_agent.cli.runs import session
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.comparison.trials.notes import Note, Outcome, Sent
from replay_agent.report.page.parts import dumped
from replay_agent.report.page.report import Entry, Report
from replay_agent.traffic import Interaction
from tests.report.page.samples import URL, answer, call, user
from tests.report.review.open_changes import drift, keep, recording

MANY = int(os.environ.get("REPLAY_AGENT_MANY_FILES", "60"))
"""Ten thousand take minutes: REPLAY_AGENT_MANY_FILES=10000 asks for them."""
TEST = "test_geo.py::test_capital"
JUNK = b"\x89junk\x00\xffinteractions: ["


@dataclass(frozen=True)
class Use:
    """A command line, the exit statuses that are right for it, and words that it says on either stream."""

    words: str
    statuses: tuple[int, ...] = (0,)
    says: str = ""


@dataclass(frozen=True)
class Row:
    """How one command is used; a text says why it cannot be used so."""

    right: Use
    misuse: Use
    empty: Use | str
    unreadable: Use | str
    many: Use | str
    collects: bool = False
    """Whether pytest runs within it, so that it needs a process of its own here, which takes its time."""


ONLY_OURS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "replay_agent.pytest_plugin,syrupy"}
"""The environment of a pytest that loads no plugin that happens to be installed: half of its start."""
ONE_CASSETTE = "cassettes/test_geo/test_capital.yaml"
NO_FILES = "it reads no files"
ONE_FILE = "it reads only what is named"

COMMANDS = {
    "init": Row(
        right=Use("init", (0,), "pytest.ini"),
        misuse=Use("init --ci jenkins", (2,), "invalid choice"),
        empty=Use("init", (2,), "is not in a project"),
        unreadable=Use("init", (0, 1, 2)),
        many="it reads the files of the project's root only",
    ),
    "doctor": Row(
        right=Use("doctor", (0, 1), "mark vcr       replay-agent"),
        misuse=Use("doctor here", (2,), "unrecognized"),
        empty=Use("doctor", (0, 1)),
        unreadable=Use("doctor", (1,), "pytest does not start"),
        many="it reads no cassettes",
        collects=True,
    ),
    "schema": Row(
        right=Use("schema", (0,), "interactions"),
        misuse=Use("schema here", (2,), "unrecognized"),
        empty=Use("schema", (0,)),
        unreadable=NO_FILES,
        many=NO_FILES,
    ),
    "completion": Row(
        right=Use("completion bash", (0, 2)),
        misuse=Use("completion tcsh", (2,), "invalid choice"),
        empty=Use("completion bash", (0, 2)),
        unreadable=NO_FILES,
        many=NO_FILES,
    ),
    "demo": Row(
        right=Use("demo --keep kept", (0,), "Kept in kept"),
        misuse=Use("demo --keep", (2,), "expected one argument"),
        empty=Use("demo", (0,), "Record"),
        unreadable=Use("demo --keep junk.yaml", (2,), "junk.yaml"),
        many=NO_FILES,
        collects=True,
    ),
    "show": Row(
        right=Use(f"show {ONE_CASSETTE}", (0,), "Paris"),
        misuse=Use("show", (2,), "FILE"),
        empty=Use("show nothing.yaml", (2,), "nothing.yaml"),
        unreadable=Use("show --json junk.yaml", (2,), "junk.yaml"),
        many=Use("show --html -o page.html {many}", (0,), "page.html"),
    ),
    "report": Row(
        right=Use("report part.json -o page.html", (0,), "written: page.html"),
        misuse=Use("report part.json -o page.pdf", (2,), "page.pdf"),
        empty=Use("report nothing.json -o page.html", (2,), "nothing.json"),
        unreadable=Use("report junk.yaml part.json -o page.html", (1,), "junk.yaml"),
        many=Use("report {parts} -o page.html", (0,), f"{MANY:,} parts"),
    ),
    "diff": Row(
        right=Use(f"diff {ONE_CASSETTE} other.yaml", (1,), "prompt"),
        misuse=Use("diff --max-cost lots a b", (2,), "lots"),
        empty=Use("diff nothing", (2,), "nothing"),
        unreadable=Use(f"diff junk.yaml {ONE_CASSETTE}", (1, 2), "junk.yaml"),
        many=Use("diff many many", (0,)),
    ),
    "stats": Row(
        right=Use("stats cassettes/test_geo", (0,), "gpt-4o"),
        misuse=Use("stats --yaml", (2,), "unrecognized"),
        empty=Use("stats", (2,)),
        unreadable=Use("stats junk.yaml", (2,), "junk.yaml"),
        many=Use("stats --json many", (0,), str(MANY)),
    ),
    "matrix": Row(
        right=Use("matrix variants", (0,), "gpt-4o"),
        misuse=Use("matrix --json --markdown", (2,), "not allowed"),
        empty=Use("matrix", (2,)),
        unreadable=Use("matrix junk.yaml", (2,), "junk.yaml"),
        many=Use("matrix --json variants", (0,)),
    ),
    "review": Row(
        right=Use("review", (2,), "needs a terminal"),  # on one: tests/report/review/test_terminal.py
        misuse=Use("review now", (2,), "unrecognized"),
        empty=Use("review", (2,), "needs a terminal"),
        unreadable=Use("review", (2,), "needs a terminal"),
        many="five hundred are one screen: tests/report/review/test_terminal.py",
    ),
    "pending": Row(
        right=Use("pending", (1,), "open"),
        misuse=Use("pending all", (2,), "unrecognized"),
        empty=Use("pending --json", (0,), "[]"),
        unreadable=Use("pending", (2,), "pending.json"),
        many=Use("pending --json", (1,), f"test_{MANY - 1}"),
    ),
    "accept": Row(
        right=Use("accept --all", (0,), "accepted"),
        misuse=Use("accept", (2,), "--all"),
        empty=Use("accept --all", (0,)),
        unreadable=Use("accept --all", (2,), "pending.json"),
        many=Use("accept feedbeef", (1,), "feedbeef"),
    ),
    "reject": Row(
        right=Use("reject --all", (0,), "rejected"),
        misuse=Use("reject", (2,), "--all"),
        empty=Use("reject --all", (0,)),
        unreadable=Use("reject --all", (2,), "pending.json"),
        many=Use("reject --all", (0,), "rejected"),
    ),
    "convert": Row(
        right=Use(f"convert {ONE_CASSETTE} theirs.yaml --to vcrpy", (0,), "theirs.yaml"),
        misuse=Use("convert one.yaml", (2,), "DST"),
        empty=Use("convert . out", (2,), "no cassette"),
        unreadable=Use("convert junk.yaml out.yaml", (2,), "junk.yaml"),
        many=Use("convert many out", (0,)),
    ),
    "scan": Row(
        right=Use("scan", (0,)),
        misuse=Use("scan --write-baseline", (2,), "--baseline FILE"),
        empty=Use("scan", (0,)),
        unreadable=Use("scan --baseline junk.yaml", (2,), "junk.yaml"),
        many=Use("scan many", (0,)),
    ),
    "prune": Row(
        right=Use("prune", (1,), "test_gone"),
        misuse=Use("prune cassettes", (2,), "unrecognized"),
        empty=Use("prune", (0,)),
        unreadable=Use("prune", (0, 1), "could not be collected"),
        many=Use("prune", (1,), f"test_{MANY - 1}"),
        collects=True,
    ),
    "mv": Row(
        right=Use("mv test_geo.py::test_gone test_geo.py::test_new", (0,), "test_new"),
        misuse=Use("mv test_geo.py::test_gone", (2,), "NEW"),
        empty=Use("mv a.py::test_a b.py::test_b", (2,), "b.py::test_b"),
        unreadable=Use("mv broken_test.py::test_a broken_test.py::test_b", (2,), "broken_test.py"),
        many=ONE_FILE,
        collects=True,
    ),
    "journals": Row(
        right=Use("journals", (1,), "test_capital"),
        misuse=Use("journals burn", (2,), "invalid choice"),
        empty=Use("journals", (0,)),
        unreadable=Use("journals", (1,), "junk"),
        many=Use("journals", (1,), f"test_{MANY - 1}"),
    ),
    "sweep": Row(
        right=Use(f"sweep {TEST} --faults rate_limited", (0, 1)),
        misuse=Use(f"sweep {TEST} --faults meteorite", (2,), "meteorite"),
        empty=Use("sweep nothing.py", (1, 2), "nothing.py"),
        unreadable=Use("sweep broken_test.py", (1, 2), "broken_test.py"),
        many=ONE_FILE,
        collects=True,
    ),
    "verify": Row(
        right=Use(f"verify {TEST}", (2,), "There is no terminal"),  # going live: tests/integration/test_verify.py
        misuse=Use("verify", (2,), "NODEID"),
        empty=Use("verify --yes nothing.py", (1, 2), "nothing.py"),
        unreadable=Use("verify --yes broken_test.py", (1, 2), "broken_test.py"),
        many=ONE_FILE,
    ),
    "audit": Row(
        right=Use(f"audit --runs 2 {TEST}", (0,)),
        misuse=Use(f"audit --runs 1 {TEST}", (2,), "1"),
        empty=Use("audit nothing.py", (1, 2), "nothing.py"),
        unreadable=Use("audit broken_test.py", (1, 2), "broken_test.py"),
        many=ONE_FILE,
    ),
    "stale": Row(
        right=Use(f"stale {TEST}", (0,)),
        misuse=Use("stale", (2,), "NODEID"),
        empty=Use("stale nothing.py", (1, 2), "nothing.py"),
        unreadable=Use("stale broken_test.py", (1, 2), "broken_test.py"),
        many=ONE_FILE,
    ),
}


def known() -> set[str]:
    """The commands that the parser has."""
    (commands,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    return set(commands.choices)


def test_the_table_has_a_row_for_every_command():
    assert set(COMMANDS) == known()
    assert [each.name for each in fields(Row)][:5] == ["right", "misuse", "empty", "unreadable", "many"]


def test_every_command_says_what_it_answers(capsys):
    for name in known():
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0
        assert f"replay-agent {name}" in capsys.readouterr().out


# --- the project that they are used in --------------------------------------------------------------------------------

KEYING = meaning((), (), (), ())
SOURCE = f"""
import httpx, pytest

@pytest.mark.replay
def test_capital():
    body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Capital of France?"}}]}}
    assert httpx.post("{URL}", json=body).status_code == 200

@pytest.mark.replay
def test_new():
    pass
"""


def record(path: Path, test: str, question: str = "Capital of France?", model: str = "gpt-4o") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = Interaction(call(user(question), model=model), answer("Paris", model=model), test=test)
    store.save(path, Header(keying=KEYING.scheme), [new_item(asked, KEYING(asked.request))])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project with one of everything."""
    for name in ("CI", "OPENAI_API_KEY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ONLY_OURS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_geo.py").write_text(SOURCE, "utf-8")
    record(tmp_path / ONE_CASSETTE, TEST)
    record(tmp_path / "cassettes/test_geo/test_gone.yaml", "test_geo.py::test_gone")
    record(tmp_path / "other.yaml", TEST, "Capital of Norway?")
    for model in ("gpt-4o", "gpt-4o-mini"):
        name = f"test_tour[{model}]"
        record(tmp_path / "variants" / f"{name}.yaml", f"test_tour.py::{name}", model=model)
    (tmp_path / "part.json").write_text(dumped(Report("geo", entries=[Entry(TEST, "passed")])), "utf-8")
    keep(tmp_path, [recording(tmp_path)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def use(place, capsys):
    """Use a command as a script does: nobody is at a terminal. Returns its status, and what it said."""

    def use(words: str, *, apart: bool = False) -> tuple[int, str]:
        if apart:
            command = [sys.executable, "-m", "replay_agent", *words.split(" ")]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=240
            )
            return done.returncode, f"{done.stdout}\n{done.stderr}"
        capsys.readouterr()
        try:
            status = main(words.split(" "))
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        return status, "\n".join(capsys.readouterr())

    return use


def hold(row: Use, found: tuple[int, str]) -> None:
    """Hold a command to its row."""
    status, said = found
    assert "Traceback" not in said
    assert status in row.statuses, said
    assert row.says in said
    if status == 2:
        assert said.strip()


def rows(column: str) -> list[str]:
    return [name for name, row in COMMANDS.items() if isinstance(getattr(row, column), Use)]


# --- the columns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", rows("right"))
def test_right_use_without_a_terminal(use, place, name):
    if name == "journals":
        leave_journals(place, ["test_capital"])
    row = COMMANDS[name]
    hold(row.right, use(row.right.words, apart=row.collects))


@pytest.mark.parametrize("name", rows("misuse"))
def test_misuse_is_said_with_status_two(use, name):
    row = COMMANDS[name]
    hold(row.misuse, use(row.misuse.words, apart=name == "sweep"))  # the only one whose pytest says it


@pytest.mark.parametrize("name", rows("empty"))
def test_where_there_is_nothing(use, tmp_path_factory, monkeypatch, name):
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    row = COMMANDS[name]
    hold(row.empty, use(row.empty.words, apart=row.collects))


@pytest.mark.parametrize("name", rows("unreadable"))
def test_what_cannot_be_read_is_said(use, place, name):
    (place / "junk.yaml").write_bytes(JUNK)
    (place / "broken_test.py").write_text("import pytest\ndef test_a(:\n", "utf-8")
    (place / ".pytest_cache/d/replay_agent/pending.json").write_bytes(JUNK)
    leave_journals(place, ["junk"], JUNK)
    if name in ("init", "doctor"):
        (place / "pytest.ini").write_bytes(JUNK)
    row = COMMANDS[name]
    hold(row.unreadable, use(row.unreadable.words, apart=row.collects))


@pytest.mark.parametrize("name", [name for name, row in COMMANDS.items() if not row.collects])
def test_a_pipe_that_breaks_is_no_trouble(place, name, monkeypatch):
    """As `replay-agent show FILE | head -1` breaks it."""
    if name == "journals":
        leave_journals(place, ["test_capital"])
    monkeypatch.setattr(session, "_run", ran_already)
    complaints = io.StringIO()
    monkeypatch.setattr(complaints, "close", lambda: None)  # so that it can be read
    with nobody() as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        monkeypatch.setattr("sys.stderr", complaints)
        try:
            status = main(COMMANDS[name].right.words.split(" "))
        except SystemExit as stopped:
            status = int(stopped.code or 0)
    assert status in (0, 1, 2)
    assert "BrokenPipe" not in complaints.getvalue()


def ran_already(_tests: object, _order: object, _folder: object, more: list[str], *_: object) -> list[Note]:
    """Stand for the processes that audit and stale start; what they print is the same."""
    request = call(user("Capital of France?"))
    outcome: Outcome = "collected" if more else "passed"
    return [Note(TEST, outcome, sent=[Sent(request, "digest", request, same=True)])]


@contextmanager
def nobody() -> Iterator[TextIO]:
    """Give a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    stdout = os.fdopen(writing, "w", encoding="utf-8")
    try:
        yield stdout
    finally:
        with suppress(BrokenPipeError):
            stdout.close()


@pytest.mark.parametrize("name", ["show", "stats", *(name for name, row in COMMANDS.items() if row.collects)])
def test_nothing_is_said_of_a_broken_pipe_at_the_end_of_a_process(place, name):
    """What Python flushes at its end breaks, too. Commands of a kind end alike: two stand for those without pytest."""
    command = [sys.executable, "-m", "replay_agent", *COMMANDS[name].right.words.split(" ")]
    with nobody() as stdout:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
            timeout=240,
        )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode in (0, 1, 2)


def leave_journals(place: Path, names: list[str], content: bytes = b"") -> None:
    folder = place / "cassettes" / ".replay-agent" / "journals"
    folder.mkdir(parents=True, exist_ok=True)
    whole = content or (place / ONE_CASSETTE).read_bytes()
    for name in names:
        (folder / f"{name}.0123456789ab.01234567.journal").write_bytes(whole)


def linked(first: Path, folder: Path, suffix: str) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"test_{number}{suffix}" for number in range(MANY)]
    for path in paths:
        path.hardlink_to(first)
    return paths


def prepare_many(place: Path, name: str) -> str:
    """Make very many of what a command reads, and return its words."""
    words = COMMANDS[name].many.words
    if name == "journals":
        leave_journals(place, [f"test_{number}" for number in range(MANY)])
    elif name in ("pending", "accept", "reject"):
        keep(place, [drift(f"test_geo.py::test_{number}", cause=f"{number % 7}") for number in range(MANY)])
    elif name == "prune":
        linked(place / "cassettes/test_geo/test_gone.yaml", place / "cassettes" / "test_many", ".yaml")
    elif name == "matrix":
        linked(place / ONE_CASSETTE, place / "variants" / "many", "[a].yaml")
    elif name == "report":
        parts = linked(place / "part.json", place / "parts", ".json")
        return words.format(parts=" ".join(str(path.relative_to(place)) for path in parts))
    else:
        paths = linked(place / ONE_CASSETTE, place / "many", ".yaml")
        return words.format(many=" ".join(str(path.relative_to(place)) for path in paths))
    return words


@pytest.mark.parametrize("name", rows("many"))
def test_very_many_files(use, place, name):
    words = prepare_many(place, name)
    row = COMMANDS[name]
    hold(row.many, use(words, apart=row.collects))


def test_pages_and_json_of_very_many_are_whole(use, place):
    linked(place / ONE_CASSETTE, place / "many", ".yaml")
    status, said = use("stats --json many")
    assert status == 0
    assert json.loads(said.strip())
