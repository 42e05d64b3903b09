from __future__ import annotations

import json
from pathlib import Path

from replay_agent.report.leftovers import leftovers_text
from replay_agent.traffic import Failure, Interaction, Phase, Request

PATH = Path("cassettes/test_geo/test_capital.yaml")


def asked(prompt):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": prompt}]}
    request = Request("POST", "https://api.openai.com/v1/chat/completions?key=1", (), json.dumps(body).encode())
    return Interaction(request, Failure("ReadTimeout", Phase.HEAD))


def text(*leftovers, total=9):
    return leftovers_text(PATH, leftovers, total=total, command="pytest test_geo.py --record-mode=refresh")


def test_one_leftover_is_named_by_its_last_words():
    said = text((2, asked("What is\nthe capital of France?")), total=3)
    assert "1 of 3 recorded interactions was never asked for" in said
    assert "3. POST https://api.openai.com/v1/chat/completions  user-prompt: What is the capital of France?" in said
    assert "pytest test_geo.py --record-mode=refresh" in said
    assert str(PATH) in said


def test_many_leftovers_are_counted():
    said = text(*((number, asked(f"Question {number}")) for number in range(8)))
    assert "8 of 9 recorded interactions were" in said
    assert "... and 3 more" in said
    assert "Question 7" not in said


def test_long_prompts_are_cut():
    assert max(map(len, text((0, asked("word " * 1000))).splitlines())) < 200


def test_traffic_that_is_no_model_call_is_named_too():
    other = Interaction(Request("GET", "https://example.com/prices"), Failure("ConnectError", Phase.CONNECT))
    assert "1. GET https://example.com/prices" in text((0, other))


def test_each_leftover_is_one_line_without_its_query():
    price = Interaction(Request("GET", "https://example.com/prices?day=1"), Failure("ConnectError", Phase.CONNECT))
    lines = text((0, price), (4, asked("And Spain?"))).splitlines()
    assert "  1. GET https://example.com/prices" in lines
    assert "  5. POST https://api.openai.com/v1/chat/completions  user-prompt: And Spain?" in lines


def test_what_is_no_text_is_passed_over_for_the_last_words():
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    body = {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [image]}],
    }
    request = Request("POST", "https://api.openai.com/v1/chat/completions", (), json.dumps(body).encode())
    said = text((0, Interaction(request, Failure("ReadTimeout", Phase.HEAD))))
    assert "chat/completions  system-prompt: Be brief.\n" in said


def test_a_call_without_a_word_is_named_by_its_address():
    request = Request("POST", "https://api.openai.com/v1/chat/completions", (), b'{"model": "gpt-4o", "messages": []}')
    said = text((0, Interaction(request, Failure("ReadTimeout", Phase.HEAD))))
    assert "  1. POST https://api.openai.com/v1/chat/completions" in said.splitlines()
