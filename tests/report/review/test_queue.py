from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.review.queue import STATE, Queue, digest_of, plain_options, updating
from tests.report.review.open_changes import drift, keep, recording


def of_file(folder, name, **values):
    module = folder / "test_a.py"
    module.touch()
    return drift(f"test_a.py::{name}", run=f"{module}::{name}", **values)


def test_nothing_is_open_where_nothing_is_kept(tmp_path):
    assert Queue.load(tmp_path).changes == []


def test_a_test_in_a_class_is_open_as_long_as_its_module_is_there(tmp_path):
    (tmp_path / "test_a.py").touch()
    inside, gone = (f"{tmp_path}/{name}.py::TestCapital::test_one" for name in ("test_a", "test_gone"))
    queue = Queue()
    queue.update({"a": [drift(run=inside)], "b": [drift(run=gone)]})
    assert [each.run for each in queue.changes] == [inside]


def test_what_was_saved_is_loaded(tmp_path):
    state = keep(tmp_path, [drift(), drift("tests/test_a.py::test_two")])
    assert [each.test for each in Queue.load(state).changes] == [
        "tests/test_a.py::test_one",
        "tests/test_a.py::test_two",
    ]
    assert Queue.load(state).options == [f"--rootdir={tmp_path}"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1, "tests": {"a": [{}]}, "cwd": "", "options": []}', "\x00"],
)
def test_what_is_no_state_is_named(tmp_path, text):
    (tmp_path / STATE).write_text(text)
    with pytest.raises(UserError, match="run pytest again"):
        Queue.load(tmp_path)


def test_a_damaged_state_is_begun_anew_by_the_next_run(tmp_path):
    (tmp_path / STATE).write_text("{")
    with updating(tmp_path) as queue:
        queue.update({"test_a.py::test_one": [of_file(tmp_path, "test_one")]})
    assert len(Queue.load(tmp_path).changes) == 1


def test_a_partial_run_touches_only_the_tests_that_it_ran(tmp_path):
    one, two = of_file(tmp_path, "test_one"), of_file(tmp_path, "test_two")
    queue = Queue({one.test: [one], two.test: [two]})
    queue.update({one.test: []})
    assert queue.changes == [two]


def test_a_recording_stays_open_until_its_file_is_another_one(tmp_path):
    change = recording(tmp_path)
    queue = Queue({change.test: [change]})
    queue.update({change.test: []})
    assert queue.changes == [change]
    (tmp_path / "cassettes/test_a/test_one.yaml").write_bytes(b"by hand")
    queue.update({})
    assert queue.changes == []


def test_a_recording_that_is_made_again_is_open_once(tmp_path):
    change = recording(tmp_path)
    queue = Queue({change.test: [change]})
    queue.update({change.test: [change]})
    assert queue.tests[change.test] == [change]


def test_what_has_no_test_file_any_more_is_not_open(tmp_path):
    change = of_file(tmp_path, "test_one")
    queue = Queue({change.test: [change]})
    (tmp_path / "test_a.py").unlink()
    queue.update({})
    assert queue.changes == []


def test_event_loops_of_one_test_are_one_change_and_two_runs(tmp_path):
    runs = [of_file(tmp_path, "test_one"), of_file(tmp_path, "test_one")]
    queue = Queue({"test_a.py::test_one[asyncio]": runs[:1], "test_a.py::test_one[trio]": runs[1:]})
    assert len(queue.changes) == 1
    assert len(queue.twins([runs[0].id])) == 2
    queue.without([runs[0].id])
    assert queue.changes == []


def test_what_has_one_cause_stands_together():
    changes = [drift(), drift("d", cause="other"), drift("c")]
    queue = Queue({each.test: [each] for each in changes})
    assert [each.test for each in queue.changes] == ["c", "tests/test_a.py::test_one", "d"]


def test_sessions_that_end_at_once_lose_nothing_of_each_other(tmp_path):
    tests = [of_file(tmp_path, f"test_{number}") for number in range(12)]

    def end(change):
        with updating(tmp_path) as queue:
            queue.update({change.test: [change]})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(end, tests))
    assert {each.test for each in Queue.load(tmp_path).changes} == {each.test for each in tests}


def test_options_lead_back_to_the_project(tmp_path):
    assert plain_options(None, tmp_path) == [f"--rootdir={tmp_path}"]
    assert plain_options(tmp_path / "tox.ini", tmp_path) == ["-c", str(tmp_path / "tox.ini"), f"--rootdir={tmp_path}"]


def test_no_file_has_no_digest(tmp_path):
    assert digest_of(tmp_path / "none") == ""
