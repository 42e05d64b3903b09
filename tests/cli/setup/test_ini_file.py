"""A few lines into a file that somebody else wrote: they arrive, and nothing else changes."""

from __future__ import annotations

import configparser
import tomllib

import pytest

from replay_agent.cli.setup.ini_file import OPTIONS, add_options
from replay_agent.exceptions import UserError

INI = "replay_cassette_dir = cassettes\nreplay_record_mode = none\n"
TOML = 'replay_cassette_dir = "cassettes"\nreplay_record_mode = "none"\n'

BECOMES = [
    ("pytest.ini", "", f"[pytest]\n{INI}"),
    ("pytest.ini", "[pytest]\naddopts = -q\n", f"[pytest]\naddopts = -q\n{INI}"),
    ("pytest.ini", "[pytest]", f"[pytest]\n{INI}"),
    ("pytest.ini", "# ours\n[pytest]\nmarkers =\n    slow: is slow\n    fast\n", None),
    (".pytest.ini", "[pytest]\naddopts = -q\n", f"[pytest]\naddopts = -q\n{INI}"),
    ("tox.ini", "[tox]\nenvlist = py\n", f"[tox]\nenvlist = py\n\n[pytest]\n{INI}"),
    ("tox.ini", "[pytest]\naddopts = -q\n\n# of tox\n[tox]\n", f"[pytest]\naddopts = -q\n{INI}\n# of tox\n[tox]\n"),
    ("setup.cfg", "[metadata]\nname = x\n", f"[metadata]\nname = x\n\n[tool:pytest]\n{INI}"),
    ("setup.cfg", "[tool:pytest]\n; none\n[flake8]\n", f"[tool:pytest]\n{INI}; none\n[flake8]\n"),
    ("pyproject.toml", '[project]\nname = "x"\n', f'[project]\nname = "x"\n\n[tool.pytest.ini_options]\n{TOML}'),
    ("pyproject.toml", "", f"[tool.pytest.ini_options]\n{TOML}"),
    ("pyproject.toml", '[tool.pytest]\naddopts = ["-q"]\n', f'[tool.pytest]\naddopts = ["-q"]\n{TOML}'),
    (
        "pyproject.toml",
        "[ tool . pytest.\"ini_options\" ]  # here\naddopts = '-q'  # quiet\n\n# of ruff\n[tool.ruff]\n",
        f"[ tool . pytest.\"ini_options\" ]  # here\naddopts = '-q'  # quiet\n{TOML}\n# of ruff\n[tool.ruff]\n",
    ),
    ("pytest.toml", '[pytest]\naddopts = ["-q"]\n', f'[pytest]\naddopts = ["-q"]\n{TOML}'),
]


@pytest.mark.parametrize(("name", "before", "after"), BECOMES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_options_are_added_and_nothing_else_changes(tmp_path, name, before, after, newline):
    before = before.replace("\n", newline)
    (tmp_path / name).write_bytes(before.encode())
    added = add_options(tmp_path)
    assert added.before == before
    assert added.path == tmp_path / name
    if after is not None and (newline == "\n" or "\n" in before):
        assert added.after == after.replace("\n", newline)
    assert set(before.splitlines()) <= set(added.after.splitlines())
    (tmp_path / name).write_bytes(added.after.encode())
    again = add_options(tmp_path)
    assert again.after == again.before
    assert "already" in again.reason


TRICKY = [
    '[tool.pytest.ini_options]\nmarkers = [\n  "a",\n[0, 1],\n]\n',
    "[tool.pytest.ini_options]\naddopts = '''\n[tool.ruff]\n'''\nminversion = '8'\n",
    "[tool.x]\ntext = '''\n[tool.pytest.ini_options]\n'''\n[tool.pytest.ini_options]\naddopts = '-q'\n",
    "[tool.pytest.ini_options]\naddopts = '''\n# no comment\n\n'''\n",
]


@pytest.mark.parametrize("before", TRICKY)
def test_a_line_never_comes_to_stand_in_a_value(tmp_path, before):
    path = tmp_path / "pyproject.toml"
    try:
        tomllib.loads(before)
    except tomllib.TOMLDecodeError:
        before = before.replace("[0, 1],", "")
    path.write_text(before, "utf-8")
    added = add_options(tmp_path)
    document = tomllib.loads(added.after)
    wanted = tomllib.loads(before)
    if added.after != before:
        wanted["tool"]["pytest"]["ini_options"].update(OPTIONS)
    assert document == wanted


@pytest.mark.parametrize(
    "text",
    ["tool.pytest.ini_options.addopts = '-q'\n", "[tool]\npytest = {ini_options = {addopts = '-q'}}\n"],
)
def test_a_section_of_another_spelling_is_left_alone_without_a_reason(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    added = add_options(tmp_path)
    assert (added.after, added.reason) == (text, "")
    assert added.options == TOML


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"pyproject.toml": "[project]\nname='x'\n", "tox.ini": "[pytest]\n"}, "tox.ini"),
        ({"pyproject.toml": "[project]\nname='x'\n", "setup.cfg": "[metadata]\n"}, "pyproject.toml"),
        ({"pytest.ini": "", "pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest.ini"),
        ({"setup.cfg": "[metadata]\n", "tox.ini": "[tox]\n"}, "tox.ini"),
        ({"pytest.toml": "", "pytest.ini": "[pytest]\n"}, "pytest.toml"),
        ({}, "pytest.ini"),
    ],
)
def test_the_file_is_the_one_that_pytest_reads(tmp_path, pytester, files, chosen):
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    added = add_options(tmp_path)
    assert added.path.name == chosen
    added.path.write_text(added.after, "utf-8")
    assert (
        f"configfile: {chosen}"
        in pytester.runpytest("--collect-only", f"--rootdir={tmp_path}", "-c", added.path).stdout.str()
    )


@pytest.mark.parametrize("line", ["replay_unused = warn", "replay_freeze=clock", "replay_redact : x"])
def test_options_that_are_there_are_a_reason_to_leave_it_alone(tmp_path, line):
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{line}\n", "utf-8")
    assert "already" in add_options(tmp_path).reason


def test_an_option_of_another_section_is_none(tmp_path):
    (tmp_path / "tox.ini").write_text("[pytest]\naddopts = -q\n[other]\nreplay_unused = warn\n", "utf-8")
    added = add_options(tmp_path)
    parser = configparser.ConfigParser()
    parser.read_string(added.after)
    assert dict(parser["pytest"]) == {"addopts": "-q", **OPTIONS}


@pytest.mark.parametrize("data", [b"[tool\n", b"\xff\xfe", b"\xef\xbb\xbf[project]\n", b"a = 1\na = 2\n"])
def test_a_file_that_cannot_be_read_is_an_error_in_three_parts(tmp_path, data):
    (tmp_path / "pyproject.toml").write_bytes(data)
    with pytest.raises(UserError, match=r"pyproject.toml cannot be read \(.*Nothing was changed: mend"):
        add_options(tmp_path)
