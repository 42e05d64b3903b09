from __future__ import annotations

import json

import pytest

from replay_agent import tool_call
from replay_agent.exceptions import UserError
from replay_agent.faults import fault
from replay_agent.faults.sweep.cells import cells_of, faults_to_sweep
from replay_agent.provider.script import Script
from replay_agent.traffic import Failure, Interaction, Phase, Request

URL = "https://api.openai.com/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "book", "parameters": {"type": "object", "properties": {}}}}


def interaction(answer, **more):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "tools": [TOOL], **more}
    request = Request("POST", URL, (("content-type", "application/json"),), json.dumps(body).encode())
    return Interaction(request, Script([answer]).outcome(request))


def test_each_fault_is_laid_on_each_answer_that_it_can_befall():
    run = [interaction(tool_call("book")), Interaction(Request("GET", "https://example.org"), Failure("x", Phase.HEAD))]
    run.append(interaction("done", stream=True))
    calls, cells = cells_of(run, faults_to_sweep("refused, unknown_tool, truncated"))
    assert calls == 2
    assert [(cell.name, cell.call) for cell in cells] == [
        ("refused", 1),
        ("unknown_tool", 1),
        ("refused", 2),
        ("truncated", 2),
    ]


def test_all_holds_every_kind_and_outages_without_end():
    faults = faults_to_sweep("all")
    assert len({each.name for each in faults}) == len(faults) >= 35
    assert [each.name for each in faults if each.times is None] == ["refused for ever", "unavailable for ever"]
    assert faults_to_sweep([fault("cut", after=3), "quota"])[1].name == "quota"


def test_nothing_to_sweep_and_unknown_faults_are_user_errors():
    with pytest.raises(UserError, match="nothing to sweep"):
        cells_of([], [])
    with pytest.raises(UserError, match="no fault named 'cutt'"):
        faults_to_sweep("cutt")
