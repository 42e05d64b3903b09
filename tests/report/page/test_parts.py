from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import UserError
from replay_agent.report.page.parts import Part, dumped, dumped_entry, entry_from, merged, read_part
from replay_agent.report.page.report import Entry, Report
from tests.report.page.samples import everything


def report(*entries, **more):
    return Report("project", made_at="2026-11-27T12:00:00Z", entries=list(entries), **more)


def test_a_report_comes_back(tmp_path):
    path = tmp_path / "part.json"
    path.write_text(dumped(everything("a \x00 word \u202e <b>")), "utf-8")
    assert read_part(path) == everything("a \x00 word \u202e <b>")
    assert json.loads(path.read_text("utf-8"))["schema"] == 1


@given(st.text(st.characters(codec=None), max_size=8))
def test_any_text_travels(text):
    told = everything(text, pictures=False).entries[0]
    text.encode("utf-16", "surrogatepass")
    back = entry_from(dumped_entry(told))
    assert dumped_entry(back).encode()
    if text.isprintable():
        assert back == told


def test_half_a_character_is_shown_as_one():
    assert entry_from(dumped_entry(Entry("a\ud800b", "passed"))).test == "a\\ud800b"


GOOD = dumped(everything())
DAMAGED = {
    "empty": ("", "is empty"),
    "cut": (GOOD[:500], "is damaged, or is no JSON"),
    "no JSON": ("<html>", "is damaged, or is no JSON"),
    "a list": ("[1]", "it has no schema"),
    "another file": ('{"version": 1}', "it has no schema"),
    "a schema of words": ('{"schema": "one"}', "it has no schema"),
    "a later release": ('{"schema": 2, "title": "a"}', "has schema 2; this release reads 1"),
    "a field of another kind": (GOOD.replace('"outcome": "failed"', '"outcome": 3'), r"damaged at entries\.0\.outcome"),
    "no title": ('{"schema": 1}', "damaged at title"),
    "a picture that is none": (GOOD.replace('"image/png"', '"image/svg+xml"'), "damaged at entries"),
    "deep": ('{"schema": 1, "title": ' + "[" * 100_000, "is damaged, or is no JSON"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_wrong_of_a_part_is_said(tmp_path, name):
    text, said = DAMAGED[name]
    path = tmp_path / "part.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError, match=said) as error:
        read_part(path)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < 600


def test_bytes_that_are_no_text_are_damage(tmp_path):
    path = tmp_path / "part.json"
    path.write_bytes(b'{"schema": 1, "title": "\xff"}')
    with pytest.raises(UserError, match="is damaged"):
        read_part(path)


def test_a_part_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_part(tmp_path / "none.json")


def test_parts_become_one():
    one = report(Entry("a", "passed"), notes=["slow"])
    other = report(Entry("b", "failed"), notes=["slow", "fast"])
    other.made_at = "2026-11-28T12:00:00Z"
    whole = merged([Part("one", one), Part("other", other)], ["third.json is empty."])
    assert [(entry.test, entry.outcome, entry.job) for entry in whole.entries] == [
        ("a", "passed", "one"),
        ("b", "failed", "other"),
    ]
    assert whole.notes == ["Not in here: third.json is empty.", "slow", "fast"]
    assert whole.made_at == "2026-11-28T12:00:00Z"


@pytest.mark.parametrize("outcomes", [("passed", "failed"), ("failed", "passed"), ("error", "passed")])
def test_of_a_test_in_two_parts_the_worse_is_told(outcomes):
    parts = [Part(f"job {number}", report(Entry("a", outcome))) for number, outcome in enumerate(outcomes)]
    (entry,) = merged(parts).entries
    assert entry.has_failed
    assert entry.earlier == [f"In job {outcomes.index('passed')}: passed."]


def test_one_part_names_no_job():
    (entry,) = merged([Part("only", report(Entry("a", "passed")))]).entries
    assert entry.job == ""
