from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin.settings import command_of, first_recording, options_of
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import make


def item_of(pytester, source):
    """Collect the one test of a module."""
    (item,), _ = pytester.inline_genitems(pytester.makepyfile(f"import pytest\n\n{source}"))
    return item


def test_mark_ini_and_command_line_are_merged(pytester):
    pytester.makeini("[pytest]\nreplay_ignore_body = $.a\nreplay_freeze = uuid\nreplay_record_mode = once\n")
    item = item_of(
        pytester,
        "@pytest.mark.replay(ignore_body='$.b', freeze=['random', 'uuid'], only_hosts=('a.test',), allow_repeats=True)\n"
        "def test_func(): ...\n",
    )
    options = options_of(item)
    assert options.record_mode is RecordMode.ONCE
    assert options.ignore_body == ("$.a", "$.b")
    assert options.freeze == ("uuid", "random")
    assert options.only_hosts == ("a.test",)
    assert (options.allow_repeats, options.allow_unused) == (True, False)


def test_a_test_without_a_mark_has_the_defaults(pytester):
    assert options_of(item_of(pytester, "def test_func(): ...")) == RecordOptions(record_mode=RecordMode.NONE)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("ignore=1", "does not take ignore"),
        ("'a', 'b'", "does not take 2 positional arguments"),
        ("freeze=1", "one text or several"),
        ("ignore_hosts=[1]", "one text or several"),
        ("record_mode='never'", "never"),
    ],
)
def test_what_a_mark_does_not_take_is_named(pytester, arguments, says):
    item = item_of(pytester, f"@pytest.mark.replay({arguments})\ndef test_func(): ...\n")
    with pytest.raises(UserError, match=says):
        options_of(item)


@pytest.mark.parametrize("parameter", ["plain", "with blank", "it's", 'a "quote"', "$HOME", "a;b", "a::b", "[x]"])
def test_the_command_names_the_test_to_any_shell(pytester, parameter):
    item = item_of(pytester, f"@pytest.mark.parametrize('a', [{parameter!r}])\ndef test_func(a): ...\n")
    program, test, option = shlex.split(command_of(item))
    assert (program, option) == ("pytest", "--record-mode={mode}")
    assert test.partition("::")[2] == f"test_func[{parameter}]"
    assert Path(test.partition("::")[0]).name == item.path.name


@pytest.mark.parametrize("where", [".", "tests", "tests/deep", "elsewhere"])
def test_the_path_is_as_seen_from_where_pytest_was_run(pytester, monkeypatch, where):
    for folder in ("tests/deep", "elsewhere"):
        (pytester.path / folder).mkdir(parents=True)
    path = pytester.path / "tests" / "test_it.py"
    path.write_text("def test_x(): ...\n", "utf-8")
    monkeypatch.chdir(pytester.path / where)
    (item,), _ = pytester.inline_genitems("--rootdir", str(pytester.path), str(path))
    words = shlex.split(command_of(item))
    assert words[1:3] == ["--rootdir", str(pytester.path)]
    assert Path(words[3].partition("::")[0]).samefile(path)


@pytest.fixture
def cassette(tmp_path):
    path = tmp_path / "a.yaml"
    recording = make(path, "once", test="t.py::test_a").open()
    recording.begin(Request("GET", "http://a.test/")).finish(Response(200, (), (Chunk(b"x"),)))
    recording.close()
    return path


@pytest.mark.parametrize(
    ("mode", "test", "earlier", "found"),
    [
        ("once", "t.py::test_b", 60, RecordMode.NEW_EPISODES),
        ("once", "t.py::test_a", 60, RecordMode.ONCE),
        ("once", "t.py::test_b", -60, RecordMode.ONCE),
        ("none", "t.py::test_b", 60, RecordMode.NONE),
    ],
)
def test_a_cassette_of_this_session_may_be_added_to(cassette, mode, test, earlier, found):
    options = RecordOptions(record_mode=RecordMode(mode))
    assert first_recording(options, cassette, test, time.time() - earlier).record_mode is found
