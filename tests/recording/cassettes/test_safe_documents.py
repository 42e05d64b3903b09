"""Strangers' documents: plain data within limits, or a cause with a line."""

from __future__ import annotations

import pytest
import yaml

from replay_agent.recording.cassettes.json_spelling import Number
from replay_agent.recording.cassettes.safe_documents import (
    MAX_DEPTH,
    BadDocument,
    read_json_document,
    read_toml,
    read_yaml,
)

PLAIN = [
    "a: 1\nb: [x, 'y', \"z\", null, ~, true, no]\nc: {d: 1.5, e: -0x1F, f: 017}\n",
    "- a\n- - b\n  - c\n- {}\n- []\n",
    "a: &x [1, 2]\nb: *x\nc: &y text\nd: *y\n",
    "a: !!binary aGk=\nb: !!str 5\nc: !!int '7'\nd: ! text\n",
    "text: |\n  one\n  two\nfolded: >\n  one\n  two\n",
    "a: .inf\nb: -.inf\nc: 1.5e+3\nd: 1_000\ne: 0b11\nf: 1e5\n",
    "? a\n: b\n",
    "",
    "just text",
    "a: 1\r\nb: 2\r\n",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_yaml_as_pyyaml_reads_it(text):
    assert read_yaml(text) == yaml.safe_load(text)
    assert read_yaml(text.encode()) == yaml.safe_load(text)


def test_keys_and_times_stay_text():
    assert read_yaml("1: a\nyes: b\nt: 2026-11-22\n") == {"1": "a", "yes": "b", "t": "2026-11-22"}


def test_repeated_key_keeps_the_last_value():
    assert read_yaml("a: 1\na: 2\n") == {"a": 2}


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", 3),
        ("r: {s: 1, s: 1}\n", "s", 1),
        ("- - x: {y: 1}\n    x:\n", "x", 2),
        ("'1': a\n1: b\n", "1", 2),
    ],
)
def test_in_what_we_have_written_a_key_stands_once(text, key, line):
    with pytest.raises(BadDocument, match=f"the key '{key}' stands there twice") as caught:
        read_yaml(text, exact=True)
    assert caught.value.line == line


def test_exact_numbers_keep_their_spelling():
    value = read_yaml("a: 1.10\nb: 0x10\nc: '5'\n", exact=True)
    assert value == {"a": "1.10", "b": 16, "c": "5"}
    assert [type(each) for each in value.values()] == [Number, int, str]


@pytest.mark.parametrize("text", ["a: 0x_\n", f"a: {'9' * 5000}\n"])
def test_what_is_no_number_after_all_is_text(text):
    assert read_yaml(text) == {"a": text[3:-1]}


def test_tags_that_vcrpy_writes():
    text = (
        "a: !!python/unicode 'u'\nb: !!python/tuple [1]\n"
        "c: !!python/object/new:_io.BytesIO\n  state: !!python/tuple\n  - !!binary aGk=\n  - 0\n"
        "d: !!python/object/apply:builtins.iter\n  args:\n  - [x, y]\n"
    )
    assert read_yaml(text) == {"a": "u", "b": [1], "c": b"hi", "d": ["x", "y"]}


BOMB = "\n".join(
    ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))]
)
BAD = [
    ("a: [1\nb: 2\n", 2, "not valid YAML"),
    ("a: 'open\n", None, "not valid YAML"),
    ("a: b: c\n", 1, "not valid YAML"),
    ("[" * 100_000, 1, f"more than {MAX_DEPTH} levels"),
    ("{" * 100_000, 1, f"more than {MAX_DEPTH} levels"),
    ("- " * 100_000, 1, f"more than {MAX_DEPTH} levels"),
    *((f"a: {'[' * depth}", 1, f"more than {MAX_DEPTH} levels") for depth in (MAX_DEPTH, 1000, 5000)),
    ("".join(f"{' ' * depth}a:\n" for depth in range(1500)), MAX_DEPTH + 1, f"more than {MAX_DEPTH} levels"),
    (f"a: '{'[' * 5000}'\nb: [c: d: e]\n", 2, "not valid YAML"),
    ("a:\n  !!python/object/apply:os.system [x]\n", 2, "not allowed"),
    ("a: !!python/object/new:os.popen\n  args: [x]\n", 1, "not allowed"),
    ("a: !!python/name:os.system x\n", 1, "not allowed"),
    ("a: !custom x\n", 1, "not allowed"),
    ("a: !!set {x}\n", 1, "not allowed"),
    ("a: !!python/object/new:_io.BytesIO {}\n", 1, "as vcrpy uses it"),
    ("a: !!binary ä\n", 1, "no base64"),
    (BOMB, None, "aliases"),
    ("a: *nothing\n", 1, "stands for nothing"),
    ("a: &a [*a]\n", 1, "stands for nothing"),
    ("? [x]\n: y\n", 1, "a key is not a text"),
    ("a: 1\n---\nb: 2\n", 2, "second document"),
    ("a: \x01\n", 1, "does not allow"),
    ("x: y\na: \ud800\n", None, "not Unicode"),
]


@pytest.mark.parametrize(("text", "line", "words"), BAD)
def test_bad_yaml_has_a_cause_and_a_line(text, line, words):
    with pytest.raises(BadDocument, match=words) as caught:
        read_yaml(text)
    assert line is None or caught.value.line == line


def test_lines_count_from_the_first_one():
    with pytest.raises(BadDocument) as caught:
        read_yaml("a: !x y\n", first_line=41)
    assert caught.value.line == 41


def test_byte_that_is_not_utf8_names_its_line():
    with pytest.raises(BadDocument) as caught:
        read_yaml(b"a: b\nc: \xff\n")
    assert caught.value.line == 2


def test_json_is_read():
    assert read_json_document('{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"a":\n', 2, "not valid JSON"),
        ("[" * 100_000, None, "nested too deeply"),
        ("1" * 5000, None, "not valid JSON"),
    ],
)
def test_bad_json_has_a_cause(text, line, words):
    with pytest.raises(BadDocument, match=words) as caught:
        read_json_document(text)
    assert caught.value.line == line


def test_toml_is_read():
    assert read_toml("a = [1]\n[b]\nc = 'd'\n") == {"a": [1], "b": {"c": "d"}}


@pytest.mark.parametrize(("text", "words"), [("a = ", "not valid TOML"), ("a = " + "[" * 100_000, "nested|not valid")])
def test_bad_toml_has_a_cause(text, words):
    with pytest.raises(BadDocument, match=words):
        read_toml(text)


ISTR = "!!python/object/apply:multidict._multidict.istr"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"? {ISTR}\n- Accept\n: [a]\n", {"Accept": ["a"]}),
        (f"? {ISTR} [On]\n: 1\n? {ISTR} ['2']\n: 2\n? {ISTR} [3]\n: 3\n", {"On": 1, "2": 2, "3": 3}),
        ("? !!python/object/new:multidict._multidict_py.istr\n  args: [Accept]\n  state: {a: 1}\n: 1\n", {"Accept": 1}),
        ("a: !!python/object/new:multidict.istr [Accept]\n", {"a": "Accept"}),
        ("code: !!python/object/apply:http.HTTPStatus [200]\n", {"code": 200}),
        ("url: !!python/object/new:yarl.URL\n  state: !!python/tuple [https]\n", {"url": {"state": ["https"]}}),
    ],
)
def test_what_is_kept_of_aiohttp_is_plain_data(text, value):
    assert read_yaml(text) == value


@pytest.mark.parametrize(
    "text",
    [
        f"? {ISTR}\n- [Accept]\n: 1\n",
        f"? {ISTR} []\n: 1\n",
        f"? {ISTR} [a, b]\n: 1\n",
        f"? {ISTR} {{args: a}}\n: 1\n",
        f"? {ISTR}\n- !!python/object/apply:os.system [ls]\n: 1\n",
        "a: !!python/object/apply:multidict._multidict.istring [a]\n",
        "a: !!python/object/apply:evil.multidict.istr [a]\n",
        "a: !!python/name:multidict._multidict.istr\n",
        "a: !!python/object/apply:http.HTTPStatus.x [200]\n",
    ],
)
def test_other_objects_are_not_built(text):
    with pytest.raises(BadDocument, match=r"the tag|key is not"):
        read_yaml(text)
