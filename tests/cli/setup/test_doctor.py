from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.cli import main
from replay_agent.cli.setup import doctor
from replay_agent.cli.setup.doctor import diagnose
from replay_agent.recording.clients.installed import Client


@dataclass
class Found:
    root: Path
    cassettes: Path
    ini_file: Path | None = None
    plugins: dict = field(default_factory=lambda: {"anyio": "4.0"})
    servers: list = field(default_factory=lambda: ["replay-agent"])
    options: dict = field(default_factory=lambda: {"--record-mode": "replay-agent"})
    record_mode: str = "none"
    record_mode_from: str = "default"
    known: tuple = ("replay_cassette_dir", "replay_unused")
    troubles: list = field(default_factory=list)


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "installed_clients", lambda: [Client("httpx", "1.0", True)])
    return Found(tmp_path, tmp_path / "cassettes")


def test_a_sound_project_has_no_troubles(found):
    diagnosis = diagnose(found, {})
    assert diagnosis.troubles == []
    text = str(diagnosis)
    for words in (
        "replay-agent 0",
        "none (default)",
        "httpx 1.0",
        "of replay-agent: --record-mode",
        "Nothing is wrong.",
    ):
        assert words in text


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "GEMINI_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_PROFILE", "GITHUB_TOKEN"]
)
def test_a_key_is_named_and_not_shown(found, name):
    diagnosis = diagnose(found, {name: "sk-very-secret", "AWS_DEFAULT_REGION": "x", "OTHER": "sk-very-secret"})
    assert diagnosis.keys == [name]
    assert "very-secret" not in str(diagnosis) + json.dumps(diagnosis.json)


@pytest.mark.parametrize("value", ["", "replay", "sk-replay"])
def test_a_placeholder_is_no_key(found, value):
    assert diagnose(found, {"OPENAI_API_KEY": value}).keys == []


def test_cassettes_are_counted_and_journals_apart(found):
    (found.cassettes / "a" / "b").mkdir(parents=True)
    (found.cassettes / ".replay-agent" / "journals").mkdir(parents=True)
    for name in ("a/1.yaml", "a/b/2.yaml", "3.json", "note.txt", ".replay-agent/journals/x"):
        (found.cassettes / name).write_text("12345", "utf-8")
    folder = diagnose(found, {}).cassettes
    assert (folder.files, folder.bytes, folder.unfinished) == (3, 15, 1)


@pytest.mark.parametrize("cassettes", ["cassettes", "cassettes/inner", "cassettes/in/ner"])
def test_a_file_where_the_folder_should_be_cannot_be_written_to(found, cassettes):
    (found.root / "cassettes").touch()
    found.cassettes = found.root / cassettes
    (trouble,) = diagnose(found, {}).troubles
    assert trouble.what.startswith(f"nothing can be written to {found.root / 'cassettes'} (")


def test_a_temporary_folder_that_cannot_be_written_to_is_told(found, monkeypatch):
    def refused(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    assert [trouble.what.rpartition(" (")[2] for trouble in diagnose(found, {}).troubles] == ["Permission denied)"] * 2


@pytest.mark.parametrize(
    ("client", "troubles"),
    [
        (Client("httpx", "9", False, "httpx has no AsyncHTTPTransport in this version"), 1),
        (Client("httpx", "9", False, "httpx cannot be hooked: ImportError: x"), 1),
        (Client("grpcio", "1", False, "gRPC is not recorded"), 0),
        (Client("httpx", "0.1", True, "older than 0.28.1, the first that is tested"), 0),
    ],
)
def test_a_client_that_goes_by_us_is_a_trouble(found, monkeypatch, client, troubles):
    monkeypatch.setattr(doctor, "installed_clients", lambda: [client])
    diagnosis = diagnose(found, {})
    assert len(diagnosis.troubles) == troubles
    assert client.why in str(diagnosis)


def test_what_pytest_complains_of_is_among_the_troubles(found):
    found.troubles.append(("pytest does not start: x", "mend it"))
    assert "Wrong: pytest does not start: x\n    mend it" in str(diagnose(found, {}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\n{} = x\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\n{} = 'x'\n"),
        ("setup.cfg", "[tool:pytest]\n{}=x"),
    ],
)
@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ("replay_cassete_dir", "did you mean replay_cassette_dir?"),
        ("replay_colours", "pytest --help lists those that there are"),
        ("replay_unused", None),
        ("addopts", None),
    ],
)
def test_an_option_that_is_none_is_told_with_the_nearest(found, name, text, option, advice):
    found.ini_file = found.root / name
    found.ini_file.write_text(text.format(option), "utf-8")
    assert [trouble.do for trouble in diagnose(found, {}).troubles] == ([advice] if advice else [])


def test_the_status_says_whether_something_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["project"] == str(tmp_path)
    assert {client["name"] for client in told["clients"] if client["hooked"]} >= {"httpx", "httpx2", "aiohttp"}
    (tmp_path / "pytest.ini").write_text("[pytest]\nreplay_record_mode = onec\n", "utf-8")
    assert main(["doctor"]) == 1
    assert "replay_record_mode in the ini file" in capsys.readouterr().out
