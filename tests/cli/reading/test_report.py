from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from replay_agent.cli import main
from replay_agent.recording.cassettes.document import render
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.report.page.parts import dumped, read_part
from replay_agent.report.page.report import Entry, Figures, Report
from tests.report.page.samples import run_with_a_tool


def part(path, *tests, outcome="passed"):
    entries = [Entry(f"tests/test_a.py::{test}", outcome, 0.5, replayed=Figures(1, 10, 2, "0.1")) for test in tests]
    path.write_text(
        dumped(Report("project", made_at="2026-11-27T12:00:00Z", made_by="replay-agent", entries=entries)), "utf-8"
    )
    return str(path)


@pytest.fixture
def parts(tmp_path):
    return [part(tmp_path / "one.json", "test_a", "test_b"), part(tmp_path / "two.json", "test_c", outcome="failed")]


def test_parts_become_a_page(tmp_path, parts, capsys):
    page = tmp_path / "out" / "page.html"
    assert main(["report", *parts, "-o", str(page)]) == 0
    assert capsys.readouterr().out == f"written: {page}, 3 tests of 2 parts\n"
    text = page.read_text("utf-8")
    assert "1 of 3 tests failed" in text
    assert "test_c" in text


def test_parts_become_a_part(tmp_path, parts):
    whole = tmp_path / "whole.json"
    assert main(["report", *parts, parts[0], "-o", str(whole)]) == 0
    assert [entry.test.rpartition(":")[2] for entry in read_part(whole).entries] == ["test_a", "test_b", "test_c"]


def test_a_damaged_part_is_told_and_the_rest_is_merged(tmp_path, parts, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text("{", "utf-8")
    page = tmp_path / "page.html"
    assert main(["report", *parts, str(bad), str(tmp_path / "gone.json"), "-o", str(page)]) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[1].rpartition("/")[2] for line in complaints] == ["bad.json", "gone.json"]
    assert "Not in here:" in page.read_text("utf-8")


def test_nothing_to_merge_is_misuse(tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text("", "utf-8")
    page = tmp_path / "page.html"
    assert main(["report", str(bad), "-o", str(page)]) == 2
    assert "is empty" in capsys.readouterr().err
    assert not page.exists()


@pytest.mark.parametrize("name", ["page", "page.txt"])
def test_the_name_must_say_what_is_written(tmp_path, parts, capsys, name):
    assert main(["report", *parts, "-o", str(tmp_path / name)]) == 2
    assert "the name says what is written" in capsys.readouterr().err


def test_an_output_is_needed(parts, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["report", *parts])
    assert stopped.value.code == 2
    assert "-o" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told(tmp_path, parts, capsys):
    assert main(["report", *parts, "-o", str(tmp_path / "one.json" / "page.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


# --- pages of the other commands --------------------------------------------------------------------------------------


@pytest.fixture
def cassettes(tmp_path):
    for folder, prompt in (("old", "Be brief."), ("new", "Be kind.")):
        for variant in ("gpt-4o", "gpt-4.1"):
            test = f"tests/test_a.py::test_b[{variant}]"
            items = [new_item(replace(each, test=test), None) for each in run_with_a_tool(prompt=prompt)]
            path = tmp_path / folder / f"test_b[{variant}].yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(render(Header(keying="", recorded_at="2026-11-26T12:00:00Z"), items))
    return tmp_path


def test_show_prints_or_writes_a_page(cassettes, capsys):
    files = sorted(map(str, (cassettes / "old").iterdir()))
    assert main(["show", *files, "--html"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("<!doctype html>")
    page = cassettes / "page.html"
    assert main(["show", *files, "--html", "-o", str(page)]) == 0
    assert capsys.readouterr().out == f"written: {page}\n"
    assert page.read_text("utf-8").strip() == printed.strip()
    assert "2 cassettes, 4 calls" in printed


def test_show_tells_what_it_cannot_read(cassettes, capsys):
    bad = cassettes / "bad.yaml"
    bad.write_text("[", "utf-8")
    good = str(next((cassettes / "old").iterdir()))
    assert main(["show", str(bad), good, "--html"]) == 2
    out, err = capsys.readouterr()
    assert "bad.yaml" in err
    assert "1 cassette, 2 calls" in out
    assert main(["show", str(bad), "--html"]) == 2
    assert capsys.readouterr().out == ""


def test_diff_is_a_page(cassettes, capsys):
    page = cassettes / "page.html"
    assert main(["diff", str(cassettes / "old"), str(cassettes / "new"), "--html", "-o", str(page)]) == 1
    text = page.read_text("utf-8")
    assert "<del>brief</del>" in text
    assert "2 cassettes compared: 2 tests changed" in text
    assert main(["diff", str(cassettes / "old"), str(cassettes / "old"), "--html"]) == 0
    assert "no difference" in capsys.readouterr().out


def test_matrix_is_a_page(cassettes, monkeypatch, capsys):
    monkeypatch.chdir(cassettes)
    assert main(["matrix", "old", "--html"]) == 0
    page = capsys.readouterr().out
    assert ">gpt-4.1</a></th>" in page
    assert "2 variants, side by side" in page


@pytest.mark.parametrize("command", [["show", "a.yaml"], ["diff", "a", "b"], ["matrix", "a"]])
def test_an_output_without_a_page_is_misuse(command, capsys):
    assert main([*command, "-o", "page.html"]) == 2
    assert "give --html too" in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error(cassettes):
    files = sorted(map(str, (cassettes / "old").iterdir()))
    command = [sys.executable, "-m", "replay_agent", "show", *files, "--html"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, "")


def test_a_part_is_plain_json(parts):
    document = json.loads(Path(parts[0]).read_text("utf-8"))
    assert (document["schema"], document["entries"][0]["outcome"]) == (1, "passed")
