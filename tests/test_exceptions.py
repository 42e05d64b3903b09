from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from replay_agent import exceptions
from replay_agent.exceptions import CassetteError, CassetteMiss, CassetteMissError
from replay_agent.traffic import Request

REQUEST = Request("POST", "https://api.example.org/v1", (("accept", "*/*"),), b"\xff{}")


class Told(CassetteMiss):
    def __init__(self, number, *, also):
        self.number = number
        self.also = also
        super().__init__(f"number {number}", REQUEST, Path("c.yaml"))


class Wider(CassetteError):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}", Path("w.yaml"))
        self.two = two


ERRORS = [
    CassetteMiss("text", REQUEST),
    CassetteMiss("text", REQUEST, Path("c.yaml")),
    CassetteMissError("text", REQUEST, Path("c.yaml")),
    Told(3, also={"a": [1]}),
    Wider(1, "zwei"),
    exceptions.ModelRetry("again"),
    exceptions.UserError("wrongly"),
    exceptions.UnexpectedModelBehavior("odd", '{"a": 1}'),
    exceptions.ModelHTTPError(404, "gpt-4o", {"error": "none"}),
    exceptions.CredentialMissing("no key", "OPENAI_API_KEY"),
    exceptions.WireError("not JSON", "openai-chat"),
    exceptions.CassetteNotFound("gone", Path("c.yaml")),
    exceptions.CassetteUnwritable("full", Path("c.yaml")),
    exceptions.CassetteVersionError("version 9", Path("c.yaml")),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_is_pickled_with_its_evidence(error, protocol):
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert again.args == error.args


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_copied_with_its_evidence(error):
    assert vars(copy.copy(error)) == vars(copy.deepcopy(error)) == vars(error)


def test_notes_travel_too():
    miss = CassetteMiss("text", REQUEST)
    miss.add_note("and another one")
    assert pickle.loads(pickle.dumps(miss)).__notes__ == ["and another one"]


def test_a_group_of_misses_is_pickled():
    group = BaseExceptionGroup("two", [CassetteMiss("one", REQUEST), CassetteMissError("two", REQUEST)])
    assert [str(each) for each in pickle.loads(pickle.dumps(group)).exceptions] == ["one", "two"]
