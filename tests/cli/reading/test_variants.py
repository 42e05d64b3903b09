import pytest

from replay_agent.cli.reading.variants import by_model, parted


@pytest.mark.parametrize(
    ("test", "name", "variant"),
    [
        ("t.py::test_x[gpt-4o]", "t.py::test_x", "gpt-4o"),
        ("t.py::test_x", "t.py::test_x", ""),
        ("t.py::test_x[asyncio]", "t.py::test_x", ""),
        ("t.py::test_x[trio-gpt-4o]", "t.py::test_x", "gpt-4o"),
        ("t.py::test_x[gpt-4o-asyncio+uvloop]", "t.py::test_x", "gpt-4o"),
        ("t.py::test_x[a", "t.py::test_x[a", ""),
    ],
)
def test_parameters_are_taken_off(test, name, variant):
    assert parted(test) == (name, variant)


@pytest.mark.parametrize(
    ("models", "rows"),
    [
        (
            {"rain-gpt-4o": "gpt-4o", "rain-o3": "o3", "wind-gpt-4o": "gpt-4o", "wind-o3": "o3"},
            {"rain-gpt-4o": ("rain", "gpt-4o"), "rain-o3": ("rain", "o3"),
             "wind-gpt-4o": ("wind", "gpt-4o"), "wind-o3": ("wind", "o3")},
        ),
        (
            {"openai:gpt-4o-rain": "gpt-4o", "groq:x-1-wind": "x-1"},
            {"openai:gpt-4o-rain": ("rain", "openai:gpt-4o"), "groq:x-1-wind": ("wind", "groq:x-1")},
        ),
        ({"a-o3-b": "o3", "c-o1-d": "o1"}, {"a-o3-b": ("a-b", "o3"), "c-o1-d": ("c-d", "o1")}),
        ({"gpt-4o": "gpt-4o", "o3": "o3"}, {}),
        ({"Oslo": "gpt-4o", "Rome": "gpt-4o"}, {}),
        ({"rain-gpt-4o": "gpt-4o", "wind-gpt-4o": "gpt-4o"}, {}),
        ({"rain-gpt-4o": "gpt-4o", "wind-small": "gpt-4o-mini"}, {}),
        ({"rain-gpt-4o-mini": "gpt-4o", "wind-o3": ""}, {}),
        ({}, {}),
    ],
)  # fmt: skip
def test_the_model_is_told_apart_from_the_question(models, rows):
    assert by_model(models) == rows
