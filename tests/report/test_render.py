from __future__ import annotations

import json

import pytest

from replay_agent.report.compare import (
    CallIdChanged,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    SettingChanged,
    ToolAdded,
    ToolChanged,
    ToolRemoved,
    ToolsReordered,
)
from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.render import headline, render_change, render_changes, render_spans, short
from replay_agent.report.words import Span, word_diff

SINCE = "since the recording"
ESCAPE = "\x1b"


def changed(before, after, turn=1, role="system prompt"):
    return MessageChanged(turn, role, word_diff(before, after))


SENTENCES = [
    (changed("a", "b"), "The system prompt changed"),
    (changed("a", "b", turn=3, role="user prompt"), "The user prompt of turn 3 changed"),
    (MessageAdded(2, "user prompt", "hi"), "The user prompt of turn 2 was added"),
    (MessageRemoved(1, "answer", "hi"), "The answer was removed"),
    (CallIdChanged(1, "tool call add", "a", "b"), "The id of a tool call changed"),
    (ToolAdded("add"), "The tool add was added"),
    (ToolAdded("add", "plus"), "The tool plus was renamed to add"),
    (ToolRemoved("add"), "The tool add was removed"),
    (ToolChanged("add", ()), "The tool add changed"),
    (ToolsReordered(("a", "b"), ("b", "a")), "The order of the tools changed"),
    (SettingChanged("model", "a", "b"), "The model changed"),
    (SettingChanged("tool choice", ABSENT, "auto"), "The tool choice was added"),
    (SettingChanged("temperature", 0.1, ABSENT), "temperature was removed"),
    (SettingChanged("temperature", 0.1, 0.2), "temperature changed"),
]


@pytest.mark.parametrize(("change", "sentence"), SENTENCES)
def test_one_change_is_a_sentence(change, sentence):
    assert headline([change], SINCE) == f"{sentence} {SINCE}."


def test_several_changes_of_one_thing_are_counted():
    assert headline([changed("a", "b"), changed("c", "d")], SINCE) == f"2 changes of the system prompt {SINCE}."


def test_several_things_are_listed_and_the_rest_counted():
    changes = [SettingChanged(name, 1, 2) for name in "abcdefg"]
    assert headline(changes[:2], SINCE) == f"2 things changed {SINCE}: a, b."
    assert headline(changes, SINCE) == f"7 things changed {SINCE}: a, b, c, d, e and 2 more."


LINES = [
    (changed("Be brief", "Be kind"), ["turn 1, system prompt:", "    Be [-brief-]{+kind+}"]),
    (MessageAdded(2, "user prompt", "hi\nho"), ["turn 2, user prompt, added:", "    + hi", "    + ho"]),
    (MessageRemoved(0, "settings", "hi"), ["settings, removed:", "    - hi"]),
    (CallIdChanged(1, "tool call", "a", None), ['turn 1, tool call, id: "a" -> null']),
    (ToolAdded("add"), ["tool add: added"]),
    (ToolAdded("add", "plus"), ["tool plus -> add: renamed, else the same"]),
    (ToolRemoved("add"), ["tool add: removed"]),
    (ToolChanged("add", (ValueChange("description", "a", "b"),)), ["tool add:", '    description: "a" -> "b"']),
    (ToolsReordered(("a", "b"), ("b", "a")), ["order of the tools: a, b -> b, a"]),
    (SettingChanged("seed", 1, 2), ["seed: 1 -> 2"]),
    (SettingChanged("seed", ABSENT, 2), ["seed: added, 2"]),
    (SettingChanged("seed", 1, ABSENT), ["seed: removed, was 1"]),
]


@pytest.mark.parametrize(("change", "lines"), LINES)
def test_a_change_says_where_and_what(change, lines):
    assert render_change(change) == lines


@pytest.mark.parametrize("change", [change for change, _ in LINES])
def test_colour_comes_only_when_asked(change):
    assert ESCAPE not in "".join(render_change(change))
    for line in render_change(change, colour=True):
        assert line.count(ESCAPE) % 2 == 0


def test_long_values_are_compared_by_words():
    one, other = "Say how many people live in that city.", "Say how many people live in that large city."
    lines = render_change(ToolChanged("add", (ValueChange("description", one, other),)))
    assert lines[1] == "    description:"
    assert "{+ large+}" in lines[2] or "{+large +}" in lines[2]


def test_many_changes_are_shown_in_part():
    lines = render_changes([SettingChanged(f"s{number}", 1, 2) for number in range(20)])
    assert lines[0] == "s0: 1 -> 2"
    assert lines[11] == "s11: 1 -> 2"
    assert lines[12:] == ["... and 8 more changes"]


def test_many_values_of_a_tool_are_shown_in_part():
    changes = tuple(ValueChange(f"v{number}", 1, 2) for number in range(15))
    lines = render_change(ToolChanged("add", changes))
    assert lines[1:3] == ["    v0: 1 -> 2", "    v1: 1 -> 2"]
    assert lines[-1] == "    ... and 3 more"


@pytest.mark.parametrize(("count", "hidden"), [(14, 0), (15, 2), (1000, 987)])
def test_a_long_text_shows_its_ends(count, hidden):
    text = "\n".join(f"line {number}" for number in range(count))
    lines = render_change(MessageAdded(1, "user prompt", text))[1:]
    assert lines[0] == "    + line 0"
    assert lines[-1] == f"    + line {count - 1}"
    assert (f"    ... {hidden} more lines ..." in lines) is bool(hidden)
    assert len(lines) == (count if not hidden else count - hidden + 1)


def test_a_long_line_shows_its_ends():
    (line,) = render_spans((Span("added", "a" * 5_000 + "z"),))
    assert line.startswith("+ aaa")
    assert line.endswith("az")
    assert " ... 4,701 more characters ... " in line
    assert len(line) < 400


CONTEXT = [
    ("at the start", "b " * 40 + "old", "b " * 40 + "new", "... "),
    ("at the end", "old" + " b" * 40, "new" + " b" * 40, " ..."),
]


@pytest.mark.parametrize(("what", "before", "after", "dots"), CONTEXT, ids=[row[0] for row in CONTEXT])
def test_what_is_unchanged_is_cut_to_its_nearest_words(what, before, after, dots):
    (line,) = render_spans(word_diff(before, after))
    assert line.startswith(dots) or line.endswith(dots)
    assert "[-old-]{+new+}" in line
    assert line.count("b") < 40
    assert "bb" not in line


def test_unchanged_lines_between_two_changes_are_left_out():
    middle = "\n".join(f"kept {number}" for number in range(9))
    lines = render_spans(word_diff(f"old {middle} old", f"new {middle} new"))
    assert lines == ["[-old-]{+new+} kept 0", "...", "kept 8 [-old-]{+new+}"]


def test_short_unchanged_text_between_two_changes_stays():
    assert render_spans(word_diff("one two three", "1 two 3")) == ["[-one-]{+1+} two [-three-]{+3+}"]


@pytest.mark.parametrize("hostile", ["\x1b[31m", "a\u202eb", "\x00", "\ud800", "\u2028"])
@pytest.mark.parametrize("place", ["added", "changed", "value"])
def test_nothing_invisible_reaches_the_terminal(hostile, place):
    change = {
        "added": MessageAdded(1, "user prompt", hostile),
        "changed": changed("same words here old", f"same words here {hostile}"),
        "value": SettingChanged("user", "a", hostile),
    }[place]
    shown = "\n".join(render_change(change))
    assert hostile not in shown
    shown.encode()


@pytest.mark.parametrize("value", [None, True, "text", {"b": 1, "a": [2]}, "é"])
def test_a_short_value_is_its_json(value):
    assert json.loads(short(value)) == value


def test_a_value_has_a_bounded_length():
    text = short({"many": list(range(1_000))})
    assert len(text) == 160
    assert text.startswith('{"many": [0, 1')
    assert text.endswith("999]}")
    assert len(short("x" * 100, 40)) == 40


def test_a_value_that_is_not_there_is_said():
    assert short(ABSENT) == repr(ABSENT)


def test_what_looks_the_same_is_told_apart():
    assert render_spans(word_diff("Ask caf\u00e9 now.", "Ask cafe\u0301 now.")) == [
        "Ask [-caf\\u00e9-]{+cafe\\u0301+} now."
    ]
    assert render_change(SettingChanged("user", "10 km", "10\u00a0km")) == ['user: "10 km" -> "10\\u00a0km"']
