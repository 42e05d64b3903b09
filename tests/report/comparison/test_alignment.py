from random import Random

import pytest

from replay_agent.calls import Answer, Exchange, ModelCall
from replay_agent.report.compare import Item
from replay_agent.report.comparison.alignment import Call, aligned, opening_of, with_openings_together
from replay_agent.report.comparison.histories import Asked


def calls(words, opening=()):
    """Return calls, each of which asks one word; the first one after an opening."""
    asked = [Asked((Item(1, "user prompt", word),)) for word in words]
    if asked:
        asked[0] = Asked((*opening, *asked[0].added))
    return [Call(exchange(), None, number, each) for number, each in enumerate(asked, 1)]


def exchange():
    return Exchange(0, "openai_chat", ModelCall([]), Answer())


def told(pairs):
    return [
        "".join(call.asked.added[-1].text if call else "-" for call in (pair.old, pair.new)) + "!" * pair.moved
        for pair in pairs
    ]


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ("abc", "abc", ["aa", "bb", "cc"]),
        ("abc", "axc", ["aa", "bx", "cc"]),
        ("abc", "xabc", ["-x", "aa", "bb", "cc"]),
        ("abc", "bc", ["a-", "bb", "cc"]),
        ("abc", "ab", ["aa", "bb", "c-"]),
        ("abcd", "bcda", ["bb", "cc", "dd", "aa!"]),
        ("abcd", "cabd", ["cc!", "aa", "bb", "dd"]),
        ("", "ab", ["-a", "-b"]),
        ("ab", "", ["a-", "b-"]),
        ("abc", "xyz", ["ax", "by", "cz"]),
    ],
)
def test_calls_are_paired_by_what_they_ask(old, new, pairs):
    assert told(aligned(calls(old), calls(new))) == pairs


def test_what_is_asked_several_times_is_not_taken_for_moved():
    assert told(aligned(calls("xabx"), calls("abxxx"))) == ["x-", "aa", "bb", "xx", "-x", "-x"]


@pytest.mark.parametrize("seed", range(20))
def test_every_call_is_in_one_pair(seed):
    rng = Random(seed)
    sides = [calls(rng.choices("abcdef", k=rng.randrange(9))) for _ in range(2)]
    pairs = aligned(*sides)
    assert {pair.old for pair in pairs if pair.old} == set(sides[0])
    assert [pair.new for pair in pairs if pair.new] == sides[1]


OPENING = (Item(1, "system prompt", "Be brief."), Item(1, "user prompt", "e"), Item(1, "assistant's text", "f"))


def test_an_opening_ends_before_the_first_question():
    assert opening_of(calls("a", OPENING)[0].asked) == OPENING
    assert opening_of(calls("a")[0].asked) == ()


@pytest.mark.parametrize(("old", "new"), [("abc", "xabc"), ("abc", "bc"), ("abcd", "cabd")])
def test_openings_are_compared_with_each_other_wherever_the_first_calls_are(old, new):
    pairs = with_openings_together(aligned(calls(old, OPENING), calls(new, OPENING)))
    assert [pair.openings for pair in pairs] == [(OPENING, OPENING), *[None] * (len(pairs) - 1)]
    assert all(opening_of(call.asked) == () for pair in pairs for call in (pair.old, pair.new) if call)


def test_first_calls_that_are_a_pair_keep_their_openings():
    pairs = with_openings_together(aligned(calls("ab", OPENING), calls("ac", OPENING)))
    assert pairs[0].openings is None
    assert pairs[0].old is not None
    assert opening_of(pairs[0].old.asked) == OPENING


def test_the_pairs_that_are_given_stay_as_they_are():
    given = aligned(calls("abc", OPENING), calls("bc"))
    asked = [call.asked for pair in given for call in (pair.old, pair.new) if call]
    assert with_openings_together(given)[0].openings == (OPENING, ())
    assert given[0].openings is None
    assert [call.asked for pair in given for call in (pair.old, pair.new) if call] == asked
