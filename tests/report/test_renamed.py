from __future__ import annotations

import pytest

from replay_agent.report.renamed import Former, find_former
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import PlainKeying, make

ASKED = Request("POST", "https://a.example/v1", body=b'{"ask": 1}')
OTHER = Request("POST", "https://a.example/v1", body=b'{"ask": 2}')


@pytest.fixture
def project(tmp_path):
    (tmp_path / "test_geo.py").write_text("def test_kept(): ...\n\nclass TestA:\n    def test_in(self): ...\n", "utf-8")
    return tmp_path


def record(project, test, request=ASKED, name="old"):
    path = project / "cassettes" / "test_geo" / f"{name}.yaml"
    recording = make(path, "once", test=test).open()
    recording.begin(request).finish(Response(200, (), (Chunk(b"x"),)))
    recording.close()
    return path


def former(project, now="test_geo.py::test_new"):
    return find_former(project / "cassettes", project, ASKED, PlainKeying(), now)


@pytest.mark.parametrize(
    "test",
    [
        "test_geo.py::test_old",
        "test_geo.py::test_old[a-1]",
        "test_gone.py::test_kept",
        "test_geo.py::TestB::test_in",
        "test_geo.py::TestA::test_out",
        "test_geo.py::test_in",
    ],
)
def test_a_test_that_is_gone_and_asked_the_same_is_found(project, test):
    path = record(project, test)
    assert former(project) == Former(path, test)


@pytest.mark.parametrize("test", ["test_geo.py::test_kept", "test_geo.py::test_kept[a]", "test_geo.py::TestA::test_in"])
def test_one_that_is_there_is_not(project, test):
    record(project, test)
    assert former(project) is None


def test_one_that_asked_something_else_is_not(project):
    record(project, "test_geo.py::test_old", OTHER)
    assert former(project) is None


def test_damaged_cassettes_and_modules_say_nothing(project):
    record(project, "test_geo.py::test_old")
    (project / "test_geo.py").write_text("def broken(", "utf-8")
    (project / "cassettes" / "broken.yaml").write_bytes(b"[")
    assert former(project) is None


def test_what_may_be_inherited_is_not_gone(project):
    (project / "test_geo.py").write_text("class TestA(Base): ...\n", "utf-8")
    record(project, "test_geo.py::TestA::test_of_base")
    assert former(project) is None


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("a.py::test_x", "a.py::test_y", ("a.py::test_x", "a.py::test_y")),
        ("a.py::test_x[1]", "a.py::test_y[1]", ("a.py::test_x", "a.py::test_y")),
        ("a.py::test_x", "b.py::test_x", ("a.py", "b.py")),
        ("a.py::A::test_x", "a.py::B::test_x", ("a.py::A", "a.py::B")),
        ("a.py::test_x", "a.py::B::test_x", ("a.py", "a.py::B")),
        ("a.py::A::test_x", "b.py::A::test_x", ("a.py", "b.py")),
    ],
)
def test_what_is_the_same_at_the_end_moves_together(tmp_path, old, new, names):
    assert Former(tmp_path, old).names(new) == names
