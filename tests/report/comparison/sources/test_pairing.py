"""Files that are the same test on both sides, under whatever names."""

from __future__ import annotations

from replay_agent.report.comparison.sources.pairing import pair_files, pair_runs
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.comparison.sources.sides import FolderSide
from tests.report.comparison.stories import cassette, interactions, story, vcr_cassette


def recorded(test, word="patient"):
    told = story("openai_chat")
    told.system = told.system.replace("patient", word)
    return cassette(interactions("openai_chat", told, test=test))


def unnamed(word="patient"):
    told = story("openai_chat")
    told.system = told.system.replace("patient", word)
    return vcr_cassette(interactions("openai_chat", told))


def pairs(tmp_path, old, new):
    sides = []
    for name, files in (("old", old), ("new", new)):
        for path, data in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(data)
        sides.append(FolderSide(name, tmp_path / name, list(files)))
    return [(pair.old, pair.new, pair.is_same) for pair in pair_files(*sides)]


def test_by_path(tmp_path):
    one, other = recorded("t.py::a"), recorded("t.py::a", "quick")
    assert pairs(tmp_path, {"a.yaml": one, "b.yaml": one}, {"a.yaml": one, "b.yaml": other}) == [
        ("a.yaml", "a.yaml", True),
        ("b.yaml", "b.yaml", False),
    ]


def test_by_content(tmp_path):
    one = recorded("t.py::a")
    assert pairs(tmp_path, {"a.yaml": one}, {"deep/z.yaml": one}) == [("a.yaml", "deep/z.yaml", True)]


def test_by_the_name_of_another_layout(tmp_path):
    assert pairs(tmp_path, {"a.yaml": recorded("t.py::a")}, {"a.json": unnamed()}) == [("a.yaml", "a.json", False)]


def test_by_the_test_that_moved(tmp_path):
    old = {"a/one.yaml": recorded("a.py::one"), "a/two.yaml": recorded("a.py::two", "slow")}
    new = {"b/x.yaml": recorded("b.py::two", "quick"), "b/y.yaml": recorded("b.py::one", "kind")}
    assert pairs(tmp_path, old, new) == [("a/two.yaml", "b/x.yaml", False), ("a/one.yaml", "b/y.yaml", False)]


def test_by_the_name_of_a_file_that_names_no_test(tmp_path):
    old, new = {"a/one.json": unnamed()}, {"b/one.json": unnamed("kind")}
    assert pairs(tmp_path, old, new) == [("a/one.json", "b/one.json", False)]


def test_by_the_first_question_of_a_test_that_was_renamed(tmp_path):
    old = {"a.yaml": recorded("t.py::a", "slow"), "b.yaml": recorded("t.py::b")}
    new = {"x.yaml": recorded("t.py::x", "slow"), "y.yaml": recorded("t.py::y", "quick")}
    assert pairs(tmp_path, old, new) == [
        ("b.yaml", None, False),
        ("a.yaml", "x.yaml", False),
        (None, "y.yaml", False),
    ]


def test_what_two_could_be_is_left_alone(tmp_path):
    one = recorded("t.py::a")
    found = pairs(tmp_path, {"a.yaml": one, "b.yaml": one}, {"x.yaml": one})
    assert sorted(found, key=str) == [("a.yaml", None, False), ("b.yaml", None, False), (None, "x.yaml", False)]


def test_tests_of_one_file_pair_by_name_and_the_last_two_with_each_other():
    old, new = [Run("a", []), Run("b", []), Run(None, [])], [Run(None, []), Run("c", []), Run("a", [])]
    assert [(one.test, other.test) for one, other in pair_runs(old, new)] == [("a", "a"), (None, None), ("b", "c")]


def test_tests_without_a_partner_stay_alone():
    assert [(one and one.test, other and other.test) for one, other in pair_runs([Run("a", [])], [])] == [("a", None)]
