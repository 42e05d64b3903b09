from __future__ import annotations

import enum
from pathlib import Path
from types import SimpleNamespace

import pytest

from replay_agent.pytest_plugin.shared_fixture import fixture_cassette, fixture_of, label_of, name_of


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("fr", "fr"),
        (3, "3"),
        (2.5, "2.5"),
        (None, "None"),
        (True, "True"),
        (Colour.RED, "Colour.RED"),
        (len, "len"),
        (Colour, "Colour"),
        ({"a": 1}, "settings4"),
        ([1], "settings4"),
    ],
)
def test_a_parameter_is_told_as_pytest_tells_it(value, label):
    assert label_of(value, "settings", 4) == label


def test_a_key_among_the_parameters_is_in_no_name():
    key = "sk-proj-" + "Ab3" * 16
    assert key not in label_of(key, "key", 0)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("prepared", "prepared"),
        ("_xunit_setup_class_fixture_TestIt", "setup_class"),
        ("xunit_setup_module_fixture_tests/test_it.py", "xunit_setup_module_fixture_tests/test_it.py"),
        ("_xunit_setup_module_fixture_test_it", "setup_module"),
        ("_unittest_setUpClass_fixture_TestIt", "setUpClass"),
        ("unittest_setUpClass_fixture_TestIt", "setUpClass"),
    ],
)
def test_an_xunit_setup_is_called_by_its_method(name, called):
    assert name_of(name) == called


@pytest.mark.parametrize(
    ("owner", "path"),
    [
        ("tests/test_geo.py::fixture prepared", "test_geo/fixture-prepared.yaml"),
        ("tests/test_geo.py::fixture prepared[fr]", "test_geo/fixture-prepared[fr].yaml"),
        ("tests/test_geo.py::TestA::TestB::fixture prepared", "test_geo/TestA.TestB.fixture-prepared.yaml"),
        ("tests/conftest.py::fixture prepared", "fixture-prepared.yaml"),
        ("conftest.py::fixture prepared", "fixture-prepared.yaml"),
        ("tests/sub/conftest.py::fixture prepared", "sub/fixture-prepared.yaml"),
        ("test_geo.py::fixture a/b", "test_geo/fixture-a-b.yaml"),
    ],
)
def test_a_fixture_has_its_cassette_beside_the_tests(tmp_path, owner, path):
    config = SimpleNamespace(rootpath=tmp_path, getini=lambda name: {"replay_cassette_dir": "cassettes"}[name])
    assert fixture_cassette(owner, config) == tmp_path / "cassettes" / Path(path)


def test_what_is_written_of_a_fixture_is_read_again():
    assert fixture_of("tests/test_a.py::TestIt::fixture prepared[fr-2]") == ("tests/test_a.py", "prepared")
    assert fixture_of("tests/test_a.py::test_it[fixture prepared]") is None
    assert fixture_of(None) is None
