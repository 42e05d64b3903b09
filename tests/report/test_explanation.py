from __future__ import annotations

import pickle

from replay_agent.report.explanation import Explanation


def explained(**changes):
    given = {
        "cause": "a",
        "shared": [["It changed."]],
        "purpose": "To record it",
        "command": "pytest x",
        "mode": "once",
        **changes,
    }
    return Explanation.of([["It changed in c.yaml."], [], ["one", "two"]], [["It \x1b[31mchanged\x1b[0m."]], **given)


def test_it_reads_as_one_text():
    assert explained() == "It changed in c.yaml.\n\none\ntwo\n\nTo record it:\n    pytest x"


def test_advice_follows_the_command():
    assert explained(advice=["Or not."]).endswith("    pytest x\nOr not.")
    assert explained(advice=["Or not."]).accept == "To record it:\n    pytest x\nOr not."


def test_its_parts_are_known():
    made = explained()
    assert made.body == "It changed in c.yaml.\n\none\ntwo"
    assert made.coloured == "It \x1b[31mchanged\x1b[0m."
    assert (made.cause, made.shared, made.mode) == ("a", "It changed.", "once")


def test_a_note_is_added_to_all_of_it():
    made = explained() + "\nA note."
    assert made.endswith("pytest x\nA note.")
    assert made.body.endswith("two\nA note.")
    assert made.cause == "a"


def test_it_travels():
    made = pickle.loads(pickle.dumps(explained()))
    assert (made, made.cause, made.accept) == (explained(), "a", explained().accept)
