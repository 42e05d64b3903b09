from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.surroundings import naming
from replay_agent.surroundings.naming import by_number, clashing, file_name, without_backend


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test_plain", "test_plain"),
        ("Class.test[param]", "Class.test[param]"),
        ("test[a/b]", "test[a-b]"),
        ("test[../../x]", "test[..-..-x]"),
        ("""test[<>?%*:|"'/\\]""", "test[-----------]"),
        ("test[\x00]", "test[-]"),
        ("test[größe]", "test[größe]"),
        ("test[a\u202eb]", "test[a-b]"),
        ("test[\u200b\U000e0041\x9b]", "test[---]"),
        ("test[\u2028日本🙂]", "test[-日本🙂]"),
    ],
)
def test_forbidden_characters_become_dashes(name, expected):
    assert file_name(name) == expected


def test_a_long_name_ends_in_a_digest():
    one, other = file_name("test[" + "x" * 300 + "]"), file_name("test[" + "x" * 301 + "]")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= 200


def test_names_that_meet_clash():
    assert clashing(["test[a/b]", "test[a-b]", "test[c]"]) == {"test[a/b]", "test[a-b]"}
    assert clashing(["test[a\u202e]", "test[a\u200b]"]) == {"test[a\u202e]", "test[a\u200b]"}
    assert clashing(["test[A]", "test[a]"]) == {"test[A]", "test[a]"}
    assert file_name("test[A]", clashes=True).casefold() != file_name("test[a]", clashes=True).casefold()


@pytest.mark.parametrize(
    ("name", "backend", "expected"),
    [
        ("test[asyncio]", "asyncio", "test"),
        ("test[trio-1]", "trio", "test[1]"),
        ("test[1-asyncio]", "asyncio", "test[1]"),
        ("test[asyncio-asyncio]", "asyncio", "test[asyncio]"),
        ("test[1]", "asyncio", "test[1]"),
        ("test", "asyncio", "test"),
        ("test[asyncio]", None, "test[asyncio]"),
    ],
)
def test_only_the_backend_is_left_out(name, backend, expected):
    assert without_backend(name, backend) == expected


@given(st.text(min_size=1, max_size=400))
def test_any_name_stays_one_safe_component(name):
    safe = file_name(name)
    assert safe.encode()
    assert "/" not in safe
    assert "\\" not in safe
    assert len(safe.encode()) <= 200
    assert file_name(name) == safe


def test_a_path_is_seen_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert naming.seen_from_here(tmp_path / "a" / "b.yaml") == "a/b.yaml"
    assert naming.seen_from_here(tmp_path.parent / "b.yaml") == str(tmp_path.parent / "b.yaml")


def test_the_tenth_comes_behind_the_ninth():
    names = ["a.py::t[10]", "a.py::t[9]", "a.py::t[9-b]", "a.py::t[x]", "a.py::t[9-a]"]
    assert sorted(names, key=by_number) == ["a.py::t[9-a]", "a.py::t[9-b]", "a.py::t[9]", "a.py::t[10]", "a.py::t[x]"]
