"""Values that are others in every run, found among changes."""

from __future__ import annotations

import pytest

from replay_agent.report.compare import ArgumentChanged, MessageChanged, SettingChanged, ToolAdded, ToolChanged
from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.volatile_changes import VolatileValue, freeze_sources, volatile_paths, volatile_values
from replay_agent.report.words import word_diff

ONE, OTHER = "2026-11-27", "2026-11-28"
UUID, OTHER_UUID = "0b1c2d3e4f5a4b6c8d7e0f1a2b3c4d5e", "1b1c2d3e4f5a4b6c9d7e0f1a2b3c4d5f"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015"
DATE = VolatileValue("date", ONE, OTHER)
TOLD = MessageChanged(1, "user prompt", word_diff(f"Today is {ONE}.", f"Today is {OTHER}."))


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (TOLD, DATE),
        (SettingChanged("day", ONE, OTHER), DATE),
        (ArgumentChanged("tool `add`", "argument day", ONE, OTHER), DATE),
        (ToolChanged("lookup", (ValueChange("description", f"Valid on {ONE}.", f"Valid on {OTHER}."),)), DATE),
        (SettingChanged("now", 1732270000, 1732270009), VolatileValue("Unix time", "1732270000", "1732270009")),
        (
            SettingChanged("user", "call_9fQzK1aB", "call_8xYzK2bC"),
            VolatileValue("id", "call_9fQzK1aB", "call_8xYzK2bC"),
        ),
        (SettingChanged("user", UUID, OTHER_UUID), VolatileValue("uuid", UUID, OTHER_UUID)),
        (SettingChanged("user", UUID, DIGEST), VolatileValue("hex id", UUID, DIGEST)),
        (SettingChanged("user", DIGEST, DIGEST[::-1]), VolatileValue("hex id", DIGEST, DIGEST[::-1])),
        (SettingChanged("user", ABSENT, UUID), VolatileValue("uuid", "", UUID)),
        (SettingChanged("$.sent", ABSENT, ONE), VolatileValue("date", "", ONE)),
    ],
)
def test_a_volatile_value_alone_is_told_as_such(change, value):
    assert volatile_values([change]) == ([value], True)


@pytest.mark.parametrize(
    "change",
    [
        ToolAdded("lookup"),
        SettingChanged("day", ONE, [OTHER]),
        SettingChanged("day", {"is": ONE}, OTHER),
        SettingChanged("temperature", 0.1, 0.2),
        SettingChanged("user", ABSENT, "customer"),
        SettingChanged("user", UUID, ABSENT),
        ToolChanged("lookup", (ValueChange("description", "Look it up.", "Look up a city."),)),
        ToolChanged("lookup", (ValueChange("parameters.x", ONE, [OTHER]),)),
        MessageChanged(1, "user prompt", word_diff("And France?", "And Spain?")),
    ],
)
def test_any_other_change_beside_it_is_not_lost(change):
    assert volatile_values([TOLD, change]) == ([DATE], False)


@pytest.mark.parametrize(
    ("kinds", "sources"),
    [
        (["date"], ("clock",)),
        (["uuid", "time of day"], ("clock", "uuid")),
        (["id", "Unix time", "date"], ("clock", "random")),
        (["uuid"], ("uuid",)),
        (["id"], ("random",)),
        (["hex id", "temporary path"], ("random",)),
        (["temporary path"], ()),
        (["memory address"], ()),
        ([], ()),
    ],
)
def test_what_to_freeze_follows_from_all_of_the_kinds(kinds, sources):
    assert freeze_sources(kinds) == sources


def test_the_member_that_holds_a_value_has_it_on_both_sides():
    before = {"since": ONE, "until": "never", "day": ONE}
    after = {"since": "ever", "until": OTHER, "day": OTHER}
    assert volatile_paths(before, after, [DATE]) == ["$.day"]
    assert volatile_paths({"since": ONE}, {"since": "ever"}, [DATE]) == []
    assert volatile_paths({"at": [ONE, ONE]}, {"at": [OTHER, OTHER]}, [DATE, DATE]) == ["$.at[0]", "$.at[1]"]


def test_a_text_that_says_more_than_a_value_is_not_left_out_for_it():
    assert volatile_paths({"system": f"Today is {ONE}."}, {"system": f"Today is {OTHER}."}, [DATE]) == []
    assert volatile_paths({"user": f"u-{ONE}"}, {"user": f"u-{OTHER}"}, [DATE]) == []
    new = VolatileValue("uuid", "", HEX[0])
    assert volatile_paths({}, {"user": HEX[0]}, [new]) == ["$.user"]
    assert volatile_paths({}, {"user": f"run {HEX[0]}"}, [new]) == []


HEX = ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "4f2504e0-4f89-11d3-9a0c-0305e82c3302")


@pytest.mark.parametrize("between", [" ", ", ", "; ", "\n"])
def test_values_that_follow_each_other_are_told_one_by_one(between):
    spans = word_diff(f"Run {ONE}{between}{HEX[0]} now", f"Run {OTHER}{between}{HEX[1]} now")
    assert volatile_values([MessageChanged(1, "user prompt", spans)]) == ([DATE, VolatileValue("uuid", *HEX)], True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{ONE} {HEX[0]}", f"{OTHER} Paris"),
        (f"{ONE} Rome", f"{OTHER} Paris"),
        (f"{ONE} {HEX[0]}", f"{OTHER} {HEX[1]} Paris"),
        (f"{ONE}", f"{OTHER} {HEX[1]}"),
        (f"{ONE} {HEX[0]}", f"{HEX[1]} {OTHER}"),
    ],
)
def test_a_word_among_them_is_a_change_of_its_own(before, after):
    values, alone = volatile_values(
        [MessageChanged(1, "user prompt", word_diff(f"Run {before} now", f"Run {after} now"))]
    )
    assert not alone
    assert all(value in (DATE, VolatileValue("uuid", *HEX)) for value in values)
