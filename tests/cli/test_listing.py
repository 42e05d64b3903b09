from __future__ import annotations

import subprocess
import sys

import pytest

from replay_agent.cli import parser

_IMPORTED = """
import sys
from replay_agent.cli import main
before = set(sys.modules)
try:
    main(sys.argv[1:])
except SystemExit:
    pass
sys.stderr.write(" ".join(set(sys.modules) - before))
"""


def imported(*words: str) -> set[str]:
    """Return the modules that a command of so many words brings along, in a process of its own."""
    command = [sys.executable, "-c", _IMPORTED, *words]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.split())


def test_help_lists_commands_and_imports_none():
    found = imported("--help")
    assert {"argparse", "replay_agent.cli.listing"} <= found
    ours = {name for name in found if name.startswith("replay_agent.")}
    assert not {name for name in ours if name.split(".")[1] not in ("cli", "exceptions", "surroundings")}
    assert not {name for name in ours if name.endswith(".arguments")}
    assert found.isdisjoint({"pathlib", "json", "shutil", "dataclasses", "hashlib", "pydantic_core"})


def test_a_command_brings_its_own_room_only():
    found = {name for name in imported("mv", "--help") if name.endswith(".arguments")}
    assert found == {"replay_agent.cli.upkeep.arguments"}


def test_a_file_is_shown_without_what_other_work_needs(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text(
        'interactions:\n- request: {body: \'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}\', '
        "method: POST, uri: 'https://api.openai.com/v1/chat/completions', headers: {}}\n"
        '  response: {status: {code: 200}, headers: {}, body: {string: \'{"choices": [{"message": {"content": "Ho"}}]}\'}}\n'
    )
    found = imported("show", str(file))
    assert "replay_agent.wire.openai_chat" in found
    assert found.isdisjoint(
        {"pydantic", "pydantic_core", "httpx", "socket", "uuid", "random", "shutil", "genai_prices"}
    )
    assert "replay_agent.recording.meaning.json_path" not in found


@pytest.mark.parametrize("name", ["show", "verify", "scan", "accept", "completion"])
def test_a_command_is_known_by_its_name(name):
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args([name, "--help"])
    assert stopped.value.code == 0


def test_what_is_no_command_is_refused_beside_those_that_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(["shwo"])
    assert stopped.value.code == 2
    assert "show" in capsys.readouterr().err
