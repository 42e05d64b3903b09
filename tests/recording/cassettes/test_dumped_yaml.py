from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.dumped_yaml import NotDumped, read_dumped

pieces = st.sampled_from(
    [
        *[
            "a",
            " ",
            "  ",
            "\n",
            "\n\n",
            "word " * 9,
            "'",
            '"',
            "\\",
            ": ",
            " #",
            "- ",
            "é",
            "\u2019",
            "\N{GRINNING FACE}",
        ],
        *[
            "\t",
            "\r\n",
            "\x00",
            "\x85",
            "\u2028",
            "\xa0",
            "{",
            "[",
            "0",
            "true",
            "2024-01-01",
            "&a",
            "*b",
            "!c",
            "%",
            "|",
        ],
    ]
)
texts = st.lists(pieces, max_size=12).map("".join) | st.sampled_from(
    ["openai", "1.24.0", "no", "1e3", "0x1f", "~", "="]
)
keys = st.sampled_from(["a", "Content-Type", "x_y", "no", "on", "9", "a b", "*/*", ""])
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers(-9, 999) | st.binary(max_size=90) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(keys, values, min_size=1, max_size=3)


def read_by_yaml(text):
    return yaml.load(text, yaml.CSafeLoader)


def dumped(document, **how):
    return yaml.dump(document, Dumper=yaml.CSafeDumper, **how)


@given(documents, st.booleans(), st.sampled_from([20, 80, 1000]))
def test_what_it_reads_is_what_yaml_reads(document, allow_unicode, width):
    text = dumped(document, allow_unicode=allow_unicode, width=width)
    try:
        found = read_dumped(text)
    except NotDumped:
        return  # PyYAML is asked itself
    assert repr(found) == repr(read_by_yaml(text))


@given(documents, st.data())
def test_no_damage_is_read_as_something_else(document, data):
    damage(dumped({"a": document, "b": "x"}), data)


header_names = st.sampled_from(["accept", "Content-Type", "x_y", "no", "a b", "on", "date", "9", "content-length"])
header_values = texts | st.sampled_from(
    ["Fri, 27 Nov 2026 15:06:03 GMT", "127.0.0.1:80", "325", "*/*", "a, b", "OK:", "1.5"]
)
headers = st.dictionaries(header_names, st.lists(header_values, min_size=1, max_size=2) | header_values, max_size=3)
bodies = (
    texts | st.none() | st.binary(max_size=60) | st.builds(lambda text, times: text * times, texts, st.integers(1, 30))
)
interactions = st.fixed_dictionaries(
    {
        "request": st.fixed_dictionaries(
            {
                "body": bodies,
                "headers": headers,
                "method": st.sampled_from(["GET", "POST", "NO", "get", "Y"]),
                "uri": st.sampled_from(
                    ["http://a/b?c=d", "https://a:", "http://a/#b", "http://a/ b", "u", "http://a/é"]
                ),
            }
        ),
        "response": st.fixed_dictionaries(
            {
                "body": st.fixed_dictionaries({"string": bodies}),
                "headers": headers,
                "status": st.fixed_dictionaries(
                    {
                        "code": st.sampled_from([200, 404, 99, 0, None, "200"]),
                        "message": st.sampled_from(
                            ["OK", "Not Found", "No", "", None, "I'm a teapot", "true", "on off"]
                        ),
                    }
                ),
            },
            optional={"url": st.just("u")},
        ),
    },
    optional={"id": st.just("a"), "zone": st.just("z")},
)
cassettes = st.builds(
    lambda found, more: {"interactions": found, **more},
    st.lists(interactions, min_size=1, max_size=3),
    st.sampled_from([{"version": 1}, {"metadata": {"a": [1]}, "version": 1}, {}]),
)


@given(cassettes, st.booleans(), st.sampled_from([20, 80]))
def test_of_a_cassette_it_reads_what_yaml_reads(cassette, allow_unicode, width):
    text = dumped(cassette, allow_unicode=allow_unicode, width=width)
    try:
        found = read_dumped(text)
    except NotDumped:
        return
    assert repr(found) == repr(read_by_yaml(text))


@given(cassettes, st.data())
def test_no_damaged_cassette_is_read_as_something_else(cassette, data):
    damage(dumped(cassette), data)


PUT = ["", "\n", " ", "  ", "'", '"', "\\", "#", " #", "- ", ": ", ":", "|", "\n\n", "&a ", "\n      ", "\n    x: y"]


def damage(text, data):
    place = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(PUT))
    damaged = text[:place] + put + text[place + data.draw(st.integers(0, 1)) :]
    try:
        found = read_dumped(damaged)
    except NotDumped:
        return
    assert repr(found) == repr(read_by_yaml(damaged))


def test_headers_read_before_are_lists_of_their_own():
    text = dumped(READ["a cassette"])
    first, second = read_dumped(text), read_dumped(text)
    first["interactions"][0]["request"]["headers"]["accept"].append("x")
    first["interactions"][0]["request"]["headers"]["more"] = ["y"]
    assert second == read_dumped(text) == READ["a cassette"]


LONG = "A sentence that goes on, " * 20

READ: dict[str, Any] = {
    "a cassette": {
        "interactions": [
            {
                "request": {
                    "body": '{"a": "b"}',
                    "headers": {"accept": ["*/*"], "x": ["1"]},
                    "method": "GET",
                    "uri": "u",
                },
                "response": {"body": {"string": LONG}, "headers": {}, "status": {"code": 200, "message": "OK"}},
            }
        ],
        "version": 1,
    },
    "a folded text in quotes": {"a": [f"'{LONG}'", f"{LONG}\n\n{LONG}\n", f"{LONG}\té\x07 {LONG}"]},
    "a folded text without quotes": {"a": {"b": LONG.strip(), "c": [LONG.strip(), "x"]}},
    "escapes": {"a": '"\\/\x07\x1b\x85\xa0\u2028\N{GRINNING FACE}\t\r\n é \\n \\x41'},
    "binary data": {"a": bytes(range(256)), "b": 1},
    "nothing": {"a": None, "b": [], "c": {}, "d": "", "e": [None, [], ""]},
    "lists in lists": {"a": [["b", ["c"]], [{"d": "e", "f": ["g"]}]]},
    "words like numbers": {"a": ["openai", "no-cache", "1.24.0", "127.0.0.1:80", "Yesterday", "true story"]},
}


@pytest.mark.parametrize("document", READ.values(), ids=READ)
@pytest.mark.parametrize("dumper", [yaml.CSafeDumper, yaml.SafeDumper])
def test_what_pyyaml_writes_of_a_cassette_is_read(document, dumper):
    assert read_dumped(yaml.dump(document, Dumper=dumper)) == document


WRITTEN_BY_OTHERS = {
    "a literal block": ("a:\n  b: |-\n    one\n\n      two\n  c: 1\n", {"a": {"b": "one\n\n  two", "c": 1}}),
    "a literal block with its end": ("a: |\n  one\n\nb: 1\n", {"a": "one\n", "b": 1}),
    "a literal block with all its ends": ("a: |+\n  one\n\nb: 1\n", {"a": "one\n\n", "b": 1}),
    "lists right of their key": ("a:\n  - b: 1\n    c: 2\n  - d\ne: f\n", {"a": [{"b": 1, "c": 2}, "d"], "e": "f"}),
}


@pytest.mark.parametrize(("text", "document"), WRITTEN_BY_OTHERS.values(), ids=WRITTEN_BY_OTHERS)
def test_some_of_what_others_write_is_read_too(text, document):
    assert read_dumped(text) == document == read_by_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1",
        "- a\n",
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: !!python/object/apply:os.getcwd []\n",
        "a: {b: c}\n",
        "a: [b]\n",
        "a: >\n  folded\n",
        "a: |2\n  b\n",
        "# comment\na: 1\n",
        "a: b # comment\n",
        "a: 'b' # comment\n",
        "a: 2024-01-01\n",
        "a: 1_000\n",
        "a: 1.5\n",
        "a: 012\n",
        "yes: 1\n",
        "? a\n: b\n",
        "a:\n",
        "a:\n\tb: 1\n",
        "a: b: c\n",
        "a: 'b\n",
        'a: "b\n',
        'a: "\\q"\n',
        'a: "\\ud83d\\ude00"\n',
        'a: "\\U00110000"\n',
        'a: "b\\\n\n  c"\n',
        "a: 'b\nc'\n",
        "a: 1\n---\nb: 2\n",
        "a: b\x07\n",
        "a: 1\r\nb: 2\r\n",
        "a: !!binary |\n  é\n",
        "a: b\n  c: d\n",
        "a:\n  b: 1\n c: 2\n",
    ],
)
def test_anything_else_is_said_to_be_so(text):
    with pytest.raises(NotDumped):
        read_dumped(text)


def test_what_is_nested_too_deep_is_no_crash():
    with pytest.raises((NotDumped, RecursionError)):
        read_dumped("a:\n" + "".join(f"{' ' * depth}b:\n" for depth in range(1, 5000)))


def test_time_is_linear_in_a_text_that_never_ends():
    body = "''" * 200_000
    with pytest.raises(NotDumped):
        read_dumped(f"a: '{body}\n")
    assert read_dumped(f"a: !!binary |\n  {base64.b64encode(b'x' * 300_000).decode()}\n") == {"a": b"x" * 300_000}
