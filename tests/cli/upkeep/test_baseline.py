"""Findings that are known."""

from __future__ import annotations

import pytest

from replay_agent.cli import main
from replay_agent.cli.upkeep.baseline import new_leaks, read_baseline, write_baseline
from replay_agent.cli.upkeep.scan import scan_files
from replay_agent.exceptions import UserError

KEY, OTHER = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 2, "sk-proj-" + "Z9y8X7w6V5u4T3s2" * 2


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.yaml").write_text(f"request:\n  body: {KEY}\n")
    (tmp_path / "base.json").write_text("")
    write_baseline(tmp_path / "base.json", scan_files([tmp_path / "a.yaml"]))
    return tmp_path


def left(folder):
    known = read_baseline(folder / "base.json")
    return [leak.finding.rule for leak in new_leaks(folder / "base.json", known, scan_files([folder / "a.yaml"]))]


def test_known_findings_are_not_reported(folder):
    assert left(folder) == []


def test_lines_may_move(folder):
    (folder / "a.yaml").write_text(f"# a comment\n\nrequest:\n  method: GET\n  body: {KEY}\n")
    assert left(folder) == []


def test_one_more_at_the_same_place_is_new(folder):
    (folder / "a.yaml").write_text(f"request:\n  body: {KEY} and {OTHER}\n")
    assert left(folder) == ["openai-key"]


def test_the_same_secret_elsewhere_is_new(folder):
    (folder / "a.yaml").write_text(f"response:\n  body: {KEY}\n")
    assert left(folder) == ["openai-key"]


def test_the_file_tells_no_secret(folder):
    text = (folder / "base.json").read_text()
    assert KEY[:12] not in text
    assert '"place": "request.body"' in text
    assert '"file": "a.yaml"' in text


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 1}', '{"version": 7, "known": []}', '{"version":1,"known":[1]}']
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path, text):
    (tmp_path / "base.json").write_text(text)
    with pytest.raises(UserError, match="baseline"):
        read_baseline(tmp_path / "base.json")


def test_a_baseline_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_baseline(tmp_path / "base.json")


def test_the_command(tmp_path, capsys):
    cassette, base = tmp_path / "a.yaml", tmp_path / "known.json"
    cassette.write_text(f"body: {KEY}\n")
    assert main(["scan", str(cassette)]) == 1
    assert main(["scan", "--baseline", str(base), "--write-baseline", str(cassette)]) == 0
    assert main(["scan", "--baseline", str(base), str(cassette)]) == 0
    assert main(["scan", "--baseline", str(base), str(cassette), str(tmp_path / "gone")]) == 2
    assert "was not searched" in capsys.readouterr().err
    assert main(["scan", "--write-baseline", str(cassette)]) == 2
