"""Two recordings of a suite of a hundred tests, compared whole; files that cannot be read; what is the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from replay_agent.messages import TextPart
from replay_agent.report.comparison.comparison import compare_sides
from replay_agent.report.comparison.sources.sides import FolderSide
from replay_agent.report.json_diff import ValueChange
from tests.report.comparison.stories import Step, Story, cassette, interactions, story, tools, user

SUITE = 100
PROMPTED = {7: "alder", 23: "beech", 41: "cedar", 58: "elder", 90: "fir"}
"""The tests whose own system prompt changes, and the word that it gains."""
SHARED = range(60, 70)
"""The tests that offer the tool whose schema changes."""
MOVED_ON = range(80, 85)
"""The tests that use the model which is replaced."""
PRICES = {"gpt-4o": (Decimal("2.5"), Decimal(10)), "gpt-4o-mini": (Decimal("0.15"), Decimal("0.6"))}
"""USD for a million tokens, in and out."""


def told(number, *, changed):
    made = Story(
        [
            Step(
                [user(f"Question {number} of the suite?")], [TextPart(f"Answer {number}.")], tokens=(1000 + number, 20)
            ),
            Step([user("And then?")], [TextPart("That is all.")], tokens=(1100 + number, 10)),
        ],
        system=f"You are guide number {number}. Be short.",
        examples=[],
        model="gpt-4o",
        tools=tools() if number in SHARED else [],
    )
    if changed and number in PROMPTED:
        made.system = f"You are guide number {number}. Be short. Know the {PROMPTED[number]}."
        made.steps[0].tokens = (1100 + number, 20)
        made.steps[1].tokens = (1200 + number, 10)
        if number in (7, 41):
            made.steps[1].answer = [TextPart("That is all there is.")]
    if changed and number in SHARED:
        made.tools[0].parameters_json_schema["properties"]["most"]["type"] = "string"
    if changed and number in MOVED_ON:
        made.model = "gpt-4o-mini"
    return made


def write_suite(folder, *, changed):
    folder.mkdir()
    for number in range(SUITE):
        test = f"tests/test_suite.py::test_{number}"
        data = cassette(interactions("openai_chat", told(number, changed=changed), test=test))
        (folder / f"test_{number:03}.yaml").write_bytes(data)
    return folder


def side(folder):
    return FolderSide(folder.name, folder, sorted(path.name for path in folder.iterdir()))


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    root = tmp_path_factory.mktemp("suite")
    old, new = write_suite(root / "old", changed=False), write_suite(root / "new", changed=True)
    return compare_sides(side(old), side(new))


def names(numbers):
    return {f"tests/test_suite.py::test_{number}" for number in numbers}


def test_exactly_what_changed_is_a_cause_and_equal_ones_are_one(suite):
    groups = [(group.cause.kind, {test.name for test in group.tests}) for group in suite.groups]
    assert len(groups) == 7
    assert ("tool_changed", names(SHARED)) in groups
    assert ("model_changed", names(MOVED_ON)) in groups
    assert {frozenset(tests) for kind, tests in groups if kind == "message_changed"} == {
        frozenset(names([number])) for number in PROMPTED
    }
    assert {change.name for change in suite.changes} == names([*PROMPTED, *SHARED, *MOVED_ON])


def test_effects_are_those_of_the_tests_that_have_them(suite):
    changed = {change.name: [(effect.kind, effect.turn) for effect in change.effects] for change in suite.changes}
    assert {name: effects for name, effects in changed.items() if effects} == {
        name: [("answer_changed", 2)] for name in names((7, 41))
    }
    affected = {group.cause.kind: len(group.affected) for group in suite.groups if len(group.tests) > 1}
    assert affected == {"tool_changed": 0, "model_changed": 0}


def test_tokens_are_the_sums_made_by_hand(suite):
    old, new = suite.spent
    numbers = [*PROMPTED, *SHARED, *MOVED_ON]
    before = sum(2100 + 2 * number for number in numbers)
    assert (old.input_tokens, old.output_tokens) == (before, 30 * len(numbers))
    assert (new.input_tokens, new.output_tokens) == (before + 200 * len(PROMPTED), 30 * len(numbers))
    for change in suite.changes:
        grown = [(each.what, each.tokens) for each in change.growth]
        is_prompted = change.name in names(PROMPTED)
        assert grown == ([("system prompt", 200)] if is_prompted else [])


def cost(number, model, more=0):
    into, out = PRICES[model]
    return ((2100 + 2 * number + more) * into + 30 * out) / 1_000_000


def test_cost_is_the_sum_made_by_hand(suite):
    old, new = suite.spent
    assert old.cost == sum(cost(number, "gpt-4o") for number in (*PROMPTED, *SHARED, *MOVED_ON))
    assert new.cost == (
        sum(cost(number, "gpt-4o", 200) for number in PROMPTED)
        + sum(cost(number, "gpt-4o") for number in SHARED)
        + sum(cost(number, "gpt-4o-mini") for number in MOVED_ON)
    )


def test_the_worst_comes_first(suite):
    assert {change.name for change in suite.changes[:2]} == names((7, 41))
    assert suite.files == SUITE
    assert suite.counts(())


def test_what_did_not_change_is_counted_if_asked(tmp_path):
    old, new = write_suite(tmp_path / "old", changed=False), write_suite(tmp_path / "new", changed=True)
    progress = []
    whole = compare_sides(
        side(old), side(new), with_unchanged=True, progress=lambda number, of: progress.append((number, of))
    )
    assert whole.spent[0].input_tokens == sum(2100 + 2 * number for number in range(SUITE))
    assert whole.spent[1].calls == 2 * SUITE
    assert progress[-1] == (SUITE, SUITE)


# --- files ------------------------------------------------------------------------------------------------------------

GOOD = cassette(interactions("openai_chat", story("openai_chat")))
OTHER = GOOD.replace(b"patient guide", b"hurried guide")
BAD = {
    "cut off": GOOD[: len(GOOD) // 2],
    "binary": bytes(range(256)),
    "empty": b"",
    "half merged": b"<<<<<<< HEAD\n" + GOOD + b"=======\n>>>>>>> topic\n",
    "foreign": b"services:\n  web:\n    image: nginx\n",
    "git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
}


def compare(tmp_path, old, new, **options):
    for name, files in (("old", old), ("new", new)):
        (tmp_path / name).mkdir()
        for path, data in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(data)
    sides = [
        FolderSide(
            name,
            tmp_path / name,
            sorted(path.relative_to(tmp_path / name).as_posix() for path in (tmp_path / name).rglob("*.yaml")),
            **options,
        )
        for name in ("old", "new")
    ]
    return compare_sides(*sides)


@pytest.mark.parametrize("way", BAD)
@pytest.mark.parametrize("damaged", ["old", "new"])
def test_a_damaged_file_is_said_and_the_rest_is_compared(way, damaged, tmp_path):
    old, new = {"a.yaml": GOOD, "b.yaml": GOOD}, {"a.yaml": OTHER, "b.yaml": OTHER}
    (old if damaged == "old" else new)["b.yaml"] = BAD[way]
    done = compare(tmp_path, old, new)
    assert [change.path for change in done.changes] == ["a.yaml"]
    assert [(bad.path, bad.side) for bad in done.unreadable] == [("b.yaml", damaged)]
    assert "b.yaml" in done.unreadable[0].cause
    assert done.counts(("cause",))


def test_in_a_project_what_is_no_cassette_is_passed_over(tmp_path):
    compose = b"services: {}\n", b"services:\n  web: {}\n"
    old = {"compose.yaml": compose[0], "cassettes/a.yaml": GOOD, "cassettes/b.yaml": GOOD}
    new = {"compose.yaml": compose[1], "cassettes/a.yaml": BAD["binary"], "cassettes/b.yaml": GOOD}
    done = compare(tmp_path, old, new, is_explicit=False)
    assert [bad.path for bad in done.unreadable] == ["cassettes/a.yaml"]
    assert (done.files, done.changes) == (1, [])


def test_tests_that_one_side_has_are_said(tmp_path):
    other = cassette(interactions("anthropic", told(1, changed=False), test="t.py::test_other"))
    done = compare(tmp_path, {"a.yaml": GOOD}, {"z.yaml": other})
    assert {(change.path, change.state) for change in done.changes} == {("a.yaml", "removed"), ("z.yaml", "added")}


def test_a_file_that_moved_is_compared_with_itself(tmp_path):
    done = compare(tmp_path, {"old_place.yaml": GOOD}, {"new/place.yaml": OTHER})
    assert [(change.was, change.path) for change in done.changes] == [("old_place.yaml", "new/place.yaml")]
    assert [(each.old, each.new) for each in done.moved] == [("old_place.yaml", "new/place.yaml")]


def test_a_file_of_several_tests_is_compared_test_by_test(tmp_path):
    one = interactions("openai_chat", story("openai_chat"), test="t.py::test_one")
    other = interactions("openai_chat", told(3, changed=False), test="t.py::test_other")
    edited = interactions("openai_chat", told(4, changed=False), test="t.py::test_other")
    done = compare(tmp_path, {"a.yaml": cassette([*one, *other])}, {"a.yaml": cassette([*one, *edited])})
    assert [change.name for change in done.changes] == ["t.py::test_other"]
    assert done.recorded_anew == 1


def test_what_is_recorded_anew_without_a_difference_is_none(tmp_path):
    again = GOOD.replace(b"2026-11-03T10", b"2026-12-03T11")
    done = compare(tmp_path, {"a.yaml": GOOD}, {"a.yaml": again})
    assert (done.changes, done.recorded_anew, done.counts(())) == ([], 1, False)


def test_values_are_shown_by_their_paths(tmp_path):
    new = GOOD.replace(b'"temperature": 0.5', b'"temperature": 0.75').replace(b"temperature: 0.5", b"temperature: 0.75")
    done = compare(tmp_path, {"a.yaml": GOOD}, {"a.yaml": new})
    assert [cause.values for cause in done.changes[0].causes] == [(ValueChange("temperature", 0.5, 0.75),)]
