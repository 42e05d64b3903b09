from __future__ import annotations

import pytest

from replay_agent.messages import TextPart, ThinkingPart
from replay_agent.wire.openai_chat.assistant import assistant_fields, read_assistant
from replay_agent.wire.openai_chat.dialects import ANYONE, DIALECTS

TEXTS = ["Paris.", "", " \n", "<think>hm</think>Paris.", "one\n\ntwo", "é\u2028"]
ALL = [ANYONE, *DIALECTS.values()]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: str(dialect.name))
def test_a_text_alone_is_read_as_beside_fields_that_say_nothing(text, dialect):
    alone = {"role": "assistant", "content": text}
    assert read_assistant(alone, dialect) == read_assistant({**alone, "refusal": None, "tool_calls": None}, dialect)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: str(dialect.name))
def test_a_text_alone_is_written_as_beside_one_that_is_empty(text, dialect):
    alone, beside = TextPart(text), TextPart("")
    if not dialect.chunks:
        assert assistant_fields([alone], dialect) == assistant_fields([alone, beside], dialect) == {"content": text}


def test_what_stands_beside_a_text_is_not_lost():
    parts = [ThinkingPart("hm"), TextPart("Paris.")]
    message = {"role": "assistant", "content": "Paris.", "reasoning_content": "hm"}
    assert read_assistant(message, ANYONE) == parts
    assert len(assistant_fields(parts, ANYONE)) == 2


@pytest.mark.parametrize("content", [None, [], ["x"], {"type": "text", "text": "x"}, 3])
def test_a_content_that_is_no_text_is_none(content):
    assert TextPart("x") not in read_assistant({"role": "assistant", "content": content}, ANYONE)
