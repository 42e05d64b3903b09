from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.report.page.html.rendering import MOST, render
from replay_agent.report.page.report import Entry, Report
from tests.report.page.hostile import PAYLOADS, VISIBLE
from tests.report.page.samples import everything, suite

EMPTY = {"meta", "img", "input", "path"}


class Reader(HTMLParser):
    """Reads a page as a browser does, and keeps what it is made of."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.texts, self.open, self.ids = [], [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def shown(self):
        return "".join(text for tag, text in self.texts if tag not in ("style", "script"))


PLAIN = Reader(render(everything("word")))


def shape(reader):
    """Return the elements and the names of their attributes, in order."""
    return reader.tags, [(tag, name) for tag, name, _ in reader.attributes]


def test_everything_is_closed():
    assert PLAIN.open == []


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_changes_no_element(name):
    payload = PAYLOADS[name]
    read = shape(Reader(render(everything(payload))))
    if len(payload) < 240:  # a longer one is folded, or stands once for all
        assert read == shape(PLAIN)
    assert set(read[0]) <= set(PLAIN.tags)
    assert set(read[1]) <= {
        *shape(PLAIN)[1],
        ("div", "id"),
        ("section", "class"),
        ("details", "class"),
        ("span", "class"),
        ("a", "class"),
    }


@given(st.text(st.characters(codec=None), min_size=1, max_size=20))
def test_no_text_changes_an_element(text):
    read = Reader(render(everything(text, pictures=False)))
    assert set(read.tags) <= set(PLAIN.tags)
    assert read.open == []
    assert read.tags.count("script") == read.tags.count("style") == 1


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_payload_becomes_an_address_or_a_handler(name):
    read = Reader(render(everything(PAYLOADS[name], test=PAYLOADS[name])))
    for _, attribute, value in read.attributes:
        assert not attribute.startswith("on")
        assert attribute not in ("style", "srcset", "action", "formaction", "background", "poster", "ping")
        assert attribute != "href" or value.startswith("#")
        assert attribute != "src" or value.startswith("data:image/png;base64,")


@pytest.mark.parametrize("name", VISIBLE)
def test_what_is_invisible_is_shown(name):
    payload, shown = VISIBLE[name]
    page = render(everything(payload, test=f"tests/test_a.py::{payload}"))
    hidden = re.search(
        "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff\\U000e0000-\\U000e007f]",
        page,
    )
    assert hidden is None
    assert shown in Reader(page).shown


def test_the_policy_names_what_may_run():
    page = render(everything())
    (policy,) = [
        value
        for tag, name, value in Reader(page).attributes
        if (tag, name) == ("meta", "content") and "default-src" in value
    ]
    for tag in ("style", "script"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_nothing_is_fetched():
    page = render(everything("https://a.example/pixel.png"))
    assert {name for _, name, value in Reader(page).attributes if value and "a.example" in value} <= {
        "title",
        "value",
        "data-models",
        "href",
        "id",
        "content",
    }
    assert "@import" not in page
    assert "url(" not in re.search("<style>(.*?)</style>", page, re.DOTALL)[1]


def test_all_that_is_known_of_a_test_is_told():
    shown = Reader(render(everything("word"))).shown
    for each in (
        "drifted",
        "Recorded",
        "Now",
        "Thinking",
        "turn 1",
        "3 pieces in 900 ms",
        "ended by word",
        "run by the provider",
        "Raw",
        "Other traffic",
        "As the terminal says it",
    ):
        assert each in shown


def test_an_empty_report_is_a_page():
    read = Reader(render(Report("nothing")))
    assert "No test ran" in read.shown
    assert read.open == []


def test_a_test_that_said_nothing_says_so():
    assert "Nothing was recorded or replayed." in Reader(render(Report("a", entries=[Entry("t", "passed")]))).shown


@pytest.mark.parametrize("most", [140_000, 200_000, 600_000])
def test_a_page_stays_in_bounds(most):
    size = len(render(suite(30), most).encode())
    assert size <= most


def test_a_page_of_few_tests_leaves_nothing_out():
    page = render(suite(3))
    assert "left out here" not in page
    assert page.count("<summary>Raw</summary>") == 12


def test_the_usual_bound_is_below_twelve_megabytes():
    assert MOST < 12_000_000


def test_a_long_prompt_of_many_tests_stands_once():
    page = render(suite(20))
    assert page.count("You are the travel desk of a small museum. " * 100) == 1
