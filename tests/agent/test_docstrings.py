from __future__ import annotations

import logging

import pytest

from replay_agent.agent.docstrings import read_docstring

GOOGLE = """
    Measure it.

    In two paragraphs.

    Args:
        length: How long
            it is.
        *rest: The others.

    Returns:
        float: A number.
    """
NUMPY = """Measure it.

    In two paragraphs.

    Parameters
    ----------
    length : int
        How long
        it is.
    *rest
        The others.

    Returns
    -------
    float
    """
SPHINX = """Measure it.

    In two paragraphs.

    :param length: How long
        it is.
    :param rest: The others.
    :returns: A number.
    """
STYLES = {"google": GOOGLE, "numpy": NUMPY, "sphinx": SPHINX}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("given", ["auto", "named"])
def test_each_style_is_read(style, given):
    described = read_docstring(STYLES[style], "auto" if given == "auto" else style)
    assert described.summary == "Measure it.\n\nIn two paragraphs."
    assert " ".join(described.parameters["length"].split()) == "How long it is."
    assert described.parameters["rest"] == "The others."


@pytest.mark.parametrize("style", [style for style in STYLES if style != "google"])
def test_a_named_style_reads_no_other(style):
    assert read_docstring(GOOGLE, style).parameters == {}


def test_auto_prefers_sphinx_then_google_then_numpy():
    google, numpy = "Args:\n    a: as google\n\n", "Parameters\n----------\na : int\n    as numpy\n\n"
    sphinx = ":param a: as sphinx\n"
    assert read_docstring(f"Do.\n\n{google}{numpy}{sphinx}", "auto").parameters["a"] == "as sphinx"
    assert read_docstring(f"Do.\n\n{numpy}{google}", "auto").parameters["a"] == "as google"
    assert read_docstring(f"Do.\n\n{numpy}", "auto").parameters["a"] == "as numpy"


@pytest.mark.parametrize(
    "doc", [None, "", "\n    Args:\n        x: The x.\n", "\n    Returns:\n        str: The text.\n"]
)
def test_no_leading_text_is_an_empty_summary(doc):
    assert read_docstring(doc, "auto").summary == ""


def test_text_after_the_sections_is_no_summary():
    assert read_docstring("Args:\n    x: The x.\n\nAfterwards.", "auto").summary == ""


def test_nothing_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        read_docstring("Do.\n\nArgs:\n    nonsense\n\nReturns:\n    A value.\n", "google")
    assert caplog.messages == []
