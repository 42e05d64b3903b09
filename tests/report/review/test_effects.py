from __future__ import annotations

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.review.effects import effect_lines, recording_lines
from replay_agent.report.review.kept import Altered
from tests.report.review.test_price import answered


def saved(path, *calls):
    keying = meaning((), (), (), ())
    store.save(path, Header(keying=keying.scheme), [new_item(each, keying(each.request)) for each in calls])
    return path.read_bytes()


def test_a_changed_call_is_told_as_a_conversation(tmp_path):
    path = tmp_path / "c.yaml"
    old, new = saved(path, answered("one")), saved(path, answered("two"))
    text = "\n".join(effect_lines([Altered(path, old, new)], root=tmp_path, colour=False))
    assert "The answers are the same as before." in text


def test_a_new_cassette_is_read_out(tmp_path):
    path = tmp_path / "c.yaml"
    text = "\n".join(effect_lines([Altered(path, None, saved(path, answered("one")))], root=tmp_path, colour=False))
    assert "c.yaml is new:" in text
    assert "one" in text
    assert "one" in "\n".join(recording_lines(path.read_bytes(), path))


def test_snapshots_are_told_word_by_word(tmp_path):
    said = [
        *effect_lines(
            [Altered(tmp_path / "a.run.snap", b"It is red.\n", b"It is blue.\n")], root=tmp_path, colour=False
        ),
        *effect_lines([Altered(tmp_path / "b.run.snap", None, b"new")], root=tmp_path, colour=False),
        *effect_lines([Altered(tmp_path / "c.run.snap", b"old", None)], root=tmp_path, colour=False),
    ]
    text = "\n".join(said)
    assert "It is [-red-]{+blue+}." in text
    assert "b.run.snap is new:" in text
    assert "c.run.snap is deleted:" in text


def test_nothing_altered_is_nothing_said(tmp_path):
    assert effect_lines([], root=tmp_path, colour=False) == []


def test_tests_whose_answers_are_the_same_are_told_at_once(tmp_path):
    altered = []
    for name in ("one", "two", "three"):
        path = tmp_path / f"{name}.yaml"
        altered.append(Altered(path, saved(path, answered(f"{name} before")), saved(path, answered(f"{name} now"))))
    lines = effect_lines(altered, root=tmp_path, colour=False)
    assert lines[0] == "3 tests: the answers are the same as before."
    assert "one.yaml" in lines[1]
    assert "The answers are the same as before." not in lines
