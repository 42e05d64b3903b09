from __future__ import annotations

import enum
from pathlib import Path
from types import SimpleNamespace

import pytest

from replay_agent.pytest_plugin.around.fixture_names import (
    fixture_cassette,
    fixture_of,
    joined,
    label_among,
    label_of,
    name_of,
)


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
    "parameters",
    [
        ["a/b", "a:b", "a-b"],
        ["Small", "small", "SMALL"],
        ["same", "same"],
        ["sk-proj-" + "Ab3" * 16, "sk-proj-" + "Cd4" * 16],
        [lambda: 1, lambda: 2],
        [pytest.param("x?", id="one"), pytest.param("x*", id="two")],
        ["long" * 80 + "one", "long" * 80 + "two"],
    ],
)
def test_no_two_parameters_of_a_fixture_share_a_file(tmp_path, parameters):
    values = [getattr(parameter, "values", [parameter])[0] for parameter in parameters]
    labels = [label_among(value, "odd", index, parameters) for index, value in enumerate(values)]
    config = SimpleNamespace(rootpath=tmp_path, getini=lambda name: "cassettes")
    files = {str(fixture_cassette(f"test_x.py::fixture odd[{label}]", config)).casefold() for label in labels}
    assert len(files) == len(parameters)


def test_parameters_that_meet_no_other_are_plain():
    parameters = ["openai:gpt-4o", "anthropic:claude", {"a": 1}]
    labels = [label_among(value, "model", index, parameters) for index, value in enumerate(parameters)]
    assert labels == ["openai:gpt-4o", "anthropic:claude", "model2"]
    assert label_among("gpt-4o", "model", 0, None) == "gpt-4o"


def test_parameters_that_tests_give_are_told_apart_whoever_gives_them():
    assert label_among("a/b", "odd", 0, None) != label_among("a:b", "odd", 0, None)


@pytest.mark.parametrize(
    ("some", "others"), [(["x-y", "z"], ["x", "y-z"]), (["-", ""], ["", "-"]), (["a", "b-"], ["a-b", ""])]
)
def test_labels_in_a_row_are_told_from_others(some, others):
    assert joined(some) != joined(others)
    assert joined(["fr", "settings0"]) == "fr-settings0"


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("prepared", "prepared"),
        ("_xunit_setup_class_fixture_TestIt", "setup_class"),
        ("xunit_setup_module_fixture_tests/test_it.py", "xunit_setup_module_fixture_tests/test_it.py"),
        ("_xunit_setup_module_fixture_test_it", "setup_module"),
        ("_xunit_setup_module_fixture_tests.sub.test_it", "setup_module"),
        ("_xunit_setup_module_fixture_tests.test-it", "setup_module"),
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
