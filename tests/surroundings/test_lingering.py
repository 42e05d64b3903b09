"""Keys that are left in place between two tests are there for nobody but the second."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import pytest

from replay_agent.surroundings import credentials, lingering

NAME = "OPENAI_API_KEY"
OTHER = "LINGERING_TEST_VARIABLE"


@pytest.fixture
def left(monkeypatch):
    for name in credentials.deciding_variables():
        monkeypatch.setenv(name, "")  # so that it is as before in the end, whatever becomes of it
        monkeypatch.delenv(name)
    monkeypatch.setenv(OTHER, "1")
    placed = credentials.place()
    lingering.leave(placed)
    yield placed
    lingering.take_back()
    credentials.remove(placed)


def in_the_system(name: str = NAME) -> bool:
    """Tell whether a child finds it, which gets what the system has."""
    told = f"import os; print({name!r} in os.environ)"
    return subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "True\n"


LOOKING = {
    "get": lambda: os.environ.get(NAME),
    "getenv": lambda: os.getenv(NAME),
    "in": lambda: NAME in os.environ,
    "other case": lambda: os.environ.get(NAME.lower()),
    "pop": lambda: os.environ.pop(NAME, None),
    "set default": lambda: os.environ.setdefault(NAME, ""),
    "copy": lambda: NAME in os.environ.copy(),
    "dict": lambda: NAME in dict(os.environ),
    "names": lambda: NAME in list(os.environ),
    "values": lambda: "sk-replay" in os.environ.values(),
    "text": lambda: NAME in repr(os.environ),
    "merged": lambda: NAME in ({} | os.environ),
    "deep copy": lambda: NAME in copy.deepcopy(os.environ),
    "shallow copy": lambda: NAME in copy.copy(os.environ),
    "format": lambda: "{OPENAI_API_KEY}".format_map({NAME: "", **os.environ}),
    "another": lambda: os.environ.get("GROQ_API_KEY"),
}
if os.supports_bytes_environ:
    LOOKING["bytes"] = lambda: os.environb.get(NAME.encode())
    LOOKING["names in bytes"] = lambda: NAME.encode() in list(os.environb)


@pytest.mark.parametrize("look", LOOKING.values(), ids=LOOKING)
def test_who_looks_finds_none(left, look):
    assert not look()
    assert lingering.claim() == {}


def test_the_number_of_variables_is_that_without_them(left):
    many = len(os.environ)
    credentials.place()
    assert len(os.environ) == many + len(left)


def test_a_process_that_is_started_finds_none(left):
    assert not in_the_system()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_forked_finds_none(left):
    child = os.fork()
    if not child:
        os.execvp(sys.executable, [sys.executable, "-c", f"import os; os._exit({NAME!r} in os.environ)"])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_shell_finds_none(left):
    assert os.system(f'"{sys.executable}" -c "import os, sys; sys.exit({NAME!r} in os.environ)"') == 0


@pytest.mark.parametrize("change", ["set", "set and removed"])
def test_a_key_that_is_set_between_counts(left, change):
    os.environ[NAME] = "mine"
    if change == "set":
        assert "GROQ_API_KEY" not in os.environ
        assert os.environ[NAME] == "mine"
    else:
        del os.environ[NAME]
    assert lingering.claim() == {}


def test_removing_what_is_not_there_is_the_error_that_it_is(left):
    with pytest.raises(KeyError, match=NAME):
        del os.environ[NAME]
    with pytest.raises(KeyError, match="ANTHROPIC_API_KEY"):
        os.environ["ANTHROPIC_API_KEY"]


def test_other_variables_are_read_and_written_as_ever(left):
    assert os.environ[OTHER] == os.getenv(OTHER) == "1"
    os.environ[OTHER] = "2"
    assert os.environ.pop(OTHER) == "2"
    assert OTHER not in os.environ
    with pytest.raises(KeyError):
        del os.environ[OTHER]
    with pytest.raises(TypeError):
        os.environ[1]
    assert lingering.claim() == left
    assert os.environ[NAME] == left[NAME]


def test_who_claims_finds_what_was_placed(left):
    kind = type(os.environ)
    assert lingering.claim() is left
    assert type(os.environ) is not kind
    assert {name: os.environ[name] for name in left} == left
    assert in_the_system()
    assert lingering.claim() == {}


@pytest.mark.parametrize(
    ("name", "value"), [(NAME, "mine"), ("GROQ_API_KEY", None), ("AWS_REGION", "eu-west-1"), ("GEMINI_API_KEY", "mine")]
)
def test_what_would_be_placed_otherwise_is_not_left(left, monkeypatch, name, value):
    placed = lingering.claim()
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    lingering.leave(placed)
    assert lingering.claim() == {}
    assert os.environ.get(name) == value
    assert "ANTHROPIC_API_KEY" not in os.environ


def test_nothing_is_left_of_nothing(left):
    placed = lingering.claim()
    lingering.leave({})
    assert lingering.claim() == {}
    credentials.remove(placed)


def test_where_the_environment_is_something_else_they_are_taken_back_at_once(left, monkeypatch):
    placed = lingering.claim()
    with monkeypatch.context() as another:
        another.setattr(os, "environ", {NAME: "mine"})
        lingering.leave(placed)
        assert lingering.claim() == {}
    assert not in_the_system("GROQ_API_KEY")
