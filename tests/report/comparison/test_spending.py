"""What the growth of what is asked is blamed on."""

from __future__ import annotations

from copy import deepcopy

import pytest

from replay_agent.messages import TextPart
from replay_agent.report.comparison.result.spent import Spent, total
from tests.report.comparison.stories import FORMATS, Step, cassette, compared, interactions, story, user


def growth(before, after, format="openai_chat"):
    change = compared(cassette(interactions(format, before)), cassette(interactions(format, after)))
    return {each.what: each.tokens for each in change.growth}, change.new.input_tokens - change.old.input_tokens


def counted(made):
    """Have the provider count a token for four characters of what it is asked."""
    for (call, step), _ in zip(made.calls(), made.steps, strict=True):
        asked = sum(len(str(getattr(part, "content", ""))) for message in call.messages for part in message.parts)
        asked += sum(len(str(tool)) + len(str(tool.parameters_json_schema)) for tool in call.tools)
        step.tokens = (asked // 4, 10)
    return made


@pytest.mark.parametrize("format", FORMATS)
def test_growth_is_blamed_on_what_grew(format):
    before = counted(story(format))
    after = deepcopy(before)
    after.system += " Think before every step, and say what you think." * 8
    after.tools[0].description += " Prefer towns to rivers."
    blamed, grown = growth(before, counted(after), format)
    assert sum(blamed.values()) == grown
    assert next(iter(blamed)) == "system prompt"
    assert blamed["system prompt"] > 5 * blamed["tool search"] > 0


def test_more_turns_are_more_calls():
    before = counted(story("anthropic"))
    after = deepcopy(before)
    after.steps.append(Step([user("And back?")], [TextPart("The same way.")]))
    blamed, grown = growth(before, counted(after), "anthropic")
    assert blamed == {"more calls": grown}


def test_what_nothing_explains_is_something_else():
    before = story("gemini")
    after = deepcopy(before)
    after.steps[1].tokens = (900, 10)
    assert growth(before, after, "gemini") == ({"something else": 800}, 800)


def test_less_is_blamed_too():
    before = counted(story("ollama"))
    after = deepcopy(before)
    after.system = "Be a guide."
    blamed, grown = growth(before, counted(after), "ollama")
    assert blamed == {"system prompt": grown}
    assert grown < 0


def test_a_sum_of_what_is_known():
    assert total([Spent(1, 5, None), Spent(2, None, None, None, 2)]) == Spent(3, 5, None, None, 2)
