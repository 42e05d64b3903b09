"""Where a project says its cassettes are."""

from __future__ import annotations

import pytest

from replay_agent.cli.project import cassette_folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\nreplay_cassette_dir = tapes\n"),
        ("tox.ini", "[tox]\n[pytest]\nreplay_cassette_dir = tapes/\n"),
        ("setup.cfg", "[tool:pytest]\nreplay_cassette_dir = tapes\naddopts = -q %(x)s\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nreplay_cassette_dir = 'tapes'\n"),
        ("pyproject.toml", "[tool.pytest]\nreplay_cassette_dir = 'tapes'\n"),
        ("pytest.toml", "[pytest]\nreplay_cassette_dir = 'tapes'\n"),
    ],
)
def test_every_file_that_pytest_reads(name, text, tmp_path):
    (tmp_path / name).write_text(text, "utf-8")
    assert cassette_folder(tmp_path) == "tapes"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest\n"),
        ("pytest.ini", "[other]\nreplay_cassette_dir = tapes\n"),
        ("pyproject.toml", "[tool\n"),
        ("pyproject.toml", "tool = 1\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nreplay_cassette_dir = 3\n"),
        ("setup.cfg", "replay_cassette_dir = tapes\n"),
        ("readme.txt", ""),
    ],
)
def test_without_a_word_it_is_the_usual_one(name, text, tmp_path):
    (tmp_path / name).write_text(text, "utf-8")
    assert cassette_folder(tmp_path) == "cassettes"
