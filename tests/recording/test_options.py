from __future__ import annotations

import pytest

from replay_agent.exceptions import UserError
from replay_agent.recording.options import RecordMode, RecordOptions


@pytest.mark.parametrize("name", ["none", "once", "new_episodes", "all", "rewrite", "refresh"])
def test_mode_by_name(name):
    assert RecordMode.parse(name).value == name


@pytest.mark.parametrize("spelling", ["NEW_EPISODES", "new-episodes", " new_episodes ", RecordMode.NEW_EPISODES])
def test_mode_in_other_spellings(spelling):
    assert RecordMode.parse(spelling) is RecordMode.NEW_EPISODES


def test_unknown_mode_names_the_modes():
    with pytest.raises(UserError, match=r"no record mode 'sometimes'.*none, once, new_episodes, all, rewrite, refresh"):
        RecordMode.parse("sometimes")


def test_mode_prints_its_value():
    assert f"{RecordMode.REFRESH}" == "refresh"


def test_options_take_the_name_of_a_mode():
    assert RecordOptions(record_mode="once").record_mode is RecordMode.ONCE


def test_defaults_replay_and_shut_the_network():
    options = RecordOptions()
    assert options.record_mode is RecordMode.NONE
    assert options.block_network


def test_one_string_is_a_tuple_of_one():
    assert RecordOptions(ignore_hosts="localhost").ignore_hosts == ("localhost",)


def test_list_becomes_a_tuple():
    assert RecordOptions(ignore_body=["$.a", "$.b"]).ignore_body == ("$.a", "$.b")


def test_strings_are_wanted():
    with pytest.raises(UserError, match=r"ignore_hosts=.*strings"):
        RecordOptions(ignore_hosts=[1])


def test_unknown_miss_style_is_refused():
    with pytest.raises(UserError, match="'raise' or 'exception'"):
        RecordOptions(miss="ignore")
