"""Runs as text that reads well and diffs well."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from pydantic_ai import messages as theirs
from pydantic_ai.usage import RunUsage

from replay_agent.calls import Answer, AnswerError, Exchange, ModelCall
from replay_agent.messages import (
    BinaryContent,
    FilePart,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.report.conversation.conversations import Conversation
from replay_agent.report.conversation.lines import Bounds
from replay_agent.report.conversation.text import (
    render_conversation,
    render_messages,
    render_result,
    render_run,
    render_transcript,
    render_usage,
    traffic_line,
)
from replay_agent.report.conversation.transcript import Transcript, UnknownTraffic
from replay_agent.traffic import Failure, Phase, Request, Response
from replay_agent.usage import Usage


class City(BaseModel):
    name: str
    population: int


def history(call_id="call_abc", prompt="Be a geographer.\nUse the tool.", timestamp=None):
    timestamp = timestamp or datetime.now(UTC)
    return [
        ModelRequest([SystemPromptPart(prompt), UserPromptPart("How big is Paris?", timestamp)]),
        ModelResponse([ToolCallPart("lookup", '{"city": "Paris"}', call_id)], "gpt-4o", timestamp),
        ModelRequest([ToolReturnPart("lookup", {"people": 2_102_650}, call_id, timestamp)]),
        ModelResponse([TextPart("2 million.")], "gpt-4o", timestamp),
    ]


RUN = """\
== messages ==

system:
  Be a geographer.
  Use the tool.

user:
  How big is Paris?

assistant calls lookup #1 (gpt-4o):
  {
    "city": "Paris"
  }

lookup #1 returns:
  {
    "people": 2102650
  }

assistant:
  2 million.

== result ==

City:
  {
    "name": "Paris",
    "population": 2102650
  }

== usage ==

requests: 2
input tokens: 200
output tokens: 20
cache read tokens: 50
"""


def test_a_run_reads_like_this():
    usage = Usage(2, 200, 20, 220, {"cache_read_tokens": 50, "reasoning_tokens": 0})
    assert render_run(history(), City(name="Paris", population=2_102_650), usage) == RUN


def test_ids_and_times_do_not_show():
    usage = Usage(2, 200, 20)
    assert render_run(history("call_1"), "x", usage) == render_run(history("pyd_ai_9"), "x", usage)


def test_one_changed_line_of_a_prompt_is_one_changed_line():
    prompt = "\n".join(f"Rule {number}: be good.  " for number in range(30))
    edited = prompt.replace("Rule 7: be good.", "Rule 7: be very good.")
    one, other = render_messages(history(prompt=prompt)), render_messages(history(prompt=edited))
    changed = [line for line in difflib.ndiff(one.splitlines(), other.splitlines()) if line[0] in "+-"]
    assert len(changed) == 2


def test_no_line_ends_in_a_blank():
    text = render_messages(history(prompt="a  \n\n \t\nb\n"))
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_their_history_reads_like_ours():
    messages = [
        theirs.ModelRequest(
            [theirs.SystemPromptPart("Be a geographer.\nUse the tool."), theirs.UserPromptPart("How big is Paris?")]
        ),
        theirs.ModelResponse([theirs.ToolCallPart("lookup", '{"city": "Paris"}', "call_abc")], model_name="gpt-4o"),
        theirs.ModelRequest([theirs.ToolReturnPart("lookup", {"people": 2_102_650}, "call_abc")]),
        theirs.ModelResponse([theirs.TextPart("2 million.")], model_name="gpt-4o"),
    ]
    dumped = theirs.ModelMessagesTypeAdapter.dump_python(messages, mode="json")
    assert render_messages(dumped) == render_messages(history())
    assert render_usage(RunUsage(requests=2, input_tokens=200, output_tokens=20, tool_calls=1)) == render_usage(
        Usage(2, 200, 20)
    )


def test_their_other_parts_are_shown():
    messages = [
        {"kind": "request", "instructions": "Be brief.", "parts": [{"part_kind": "user-prompt", "content": "Hi"}]},
        {"kind": "request", "instructions": "Be brief.", "parts": [
            {"part_kind": "tool-return", "tool_name": "f", "content": "bad", "tool_call_id": "x", "outcome": "retried"},
            {"part_kind": "retry-feedback", "content": "again", "timestamp": "2026-01-01T00:00:00Z", "id": None},
        ]},
        {"kind": "response", "parts": [{"part_kind": "compaction", "content": "short", "provider_name": "x"}]},
    ]  # fmt: skip
    text = render_messages(messages)
    assert text.count("instructions:\n  Be brief.") == 1
    assert "f fails:\n  bad" in text
    assert 'retry-feedback:\n  {\n    "content": "again"\n  }' in text
    assert 'compaction:\n  {\n    "content": "short"\n  }' in text


def test_every_kind_of_part_is_shown():
    picture = BinaryContent(b"abc", "image/png")
    messages = [
        ModelRequest(
            [
                UserPromptPart(["Look:", ImageUrl("https://x.example/a.png"), picture, UnknownPart({"type": "odd"})]),
                RetryPromptPart("Try.", tool_name="lookup", tool_call_id="call_1"),
                RetryPromptPart([{"type": "missing", "loc": ("a",), "msg": "Field required", "input": {}}]),
                UnknownPart({"type": "strange"}),
            ]
        ),
        ModelResponse(
            [
                ThinkingPart("Hm.\nWell."),
                ThinkingPart("", "signed"),
                NativeToolCallPart("web_search", {"query": "x"}, "srv_1"),
                NativeToolReturnPart("web_search", ["result"], "srv_1"),
                ToolCallPart("broken", '{"city": ', "call_2"),
                ToolCallPart("empty", "", "call_3"),
                FilePart(picture),
                UnknownPart({"type": "new"}),
            ],
            finish_reason="length",
        ),
        ModelResponse([]),
    ]
    text = render_messages(messages)
    for block in [
        'user:\n  Look:\n  [image https://x.example/a.png]\n  [image/png, 3 bytes, sha256 ba7816bf8f01]\n  {\n    "type": "odd"\n  }\n',
        "lookup fails:\n  Try.\n",
        "asked to try again:\n  [\n",
        'unknown:\n  {\n    "type": "strange"\n  }\n',
        "thinking (ended by length):\n  Hm.\n  Well.\n",
        "thinking:\n  (hidden)\n",
        "provider runs web_search #1:\n",
        "web_search #1 returns:\n",
        'assistant calls broken:\n  {"city":\u2420\n',
        "assistant calls empty:\n\n",
        "assistant sends a file:\n  [image/png, 3 bytes",
        "assistant:\n  (nothing)\n",
    ]:
        assert block in text


def test_parallel_calls_are_numbered():
    messages = [
        ModelResponse([ToolCallPart("f", {}, "x"), ToolCallPart("f", {}, "y")]),
        ModelRequest([ToolReturnPart("f", "b", "y"), ToolReturnPart("f", "a", "x")]),
    ]
    labels = [line for line in render_messages(messages).splitlines() if line.endswith(":")]
    assert labels == ["assistant calls f #1:", "assistant calls f #2:", "f #2 returns:", "f #1 returns:"]


def test_returns_that_are_json_text_are_laid_out():
    text = render_messages([ModelRequest([ToolReturnPart("f", '{"a":[1]}', "x")])])
    assert '  {\n    "a": [\n      1\n    ]\n  }\n' in text


def test_made_up_values_are_named():
    def told():
        made = uuid4()
        return render_run([ModelRequest([UserPromptPart(f"Order {made}, again {made}")])], {"order": made}, None)

    assert told() == told()
    assert "Order <uuid 1>, again <uuid 1>" in told()
    assert '"order": "<uuid 1>"' in told()


@dataclass
class Job:
    id: UUID = field(default_factory=uuid4)
    made: datetime = field(default_factory=lambda: datetime.now(UTC))
    tags: set[str] = field(default_factory=lambda: {"b", "a"})


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("Paris\nFrance", "str:\n  Paris\n  France\n"),
        ("", "str:\n\n"),
        (7, "int:\n  7\n"),
        (None, "None:\n  null\n"),
        ([1, 2], "list:\n  [\n    1,\n    2\n  ]\n"),
        (
            Job(),
            'Job:\n  {\n    "id": "<uuid 1>",\n    "made": "<time 1>",\n    "tags": [\n      "a",\n      "b"\n    ]\n  }\n',
        ),
        (b"abc", "bytes:\n  [bytes, 3 bytes, sha256 ba7816bf8f01]\n"),
        (object(), "object:\n  <object object at <memory address 1>>\n"),
    ],
)
def test_results_of_any_type_are_shown(result, text):
    assert render_result(result) == text


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (None, "(unknown)\n"),
        (Usage(), "requests: 0\n"),
        (Usage(1, 5, 0), "requests: 1\ninput tokens: 5\n"),
        ({"requests": 1, "input_tokens": 5, "details": {"b": 2, "a": 1}}, "requests: 1\ninput tokens: 5\na: 1\nb: 2\n"),
        (
            RunUsage(requests=1, input_tokens=5, cache_read_tokens=3),
            "requests: 1\ninput tokens: 5\ncache read tokens: 3\n",
        ),
    ],
)
def test_usage_is_shown(usage, text):
    assert render_usage(usage) == text


def exchange(answer, interaction=0, messages=None, partial=False):
    messages = [ModelRequest([UserPromptPart("Hi")])] if messages is None else messages
    return Exchange(interaction, "openai_chat", ModelCall(messages, "m"), answer, partial)


def test_failures_and_retries_are_told():
    refused = exchange(Answer(error=AnswerError(429, "slow\ndown")))
    conversation = Conversation([exchange(Answer(error=AnswerError(None, "ReadTimeout")))], [refused], [])
    text = render_conversation(conversation)
    assert "(turn 1 was tried again after status 429: slow down)\n" in text
    assert "(the call failed: ReadTimeout)\n" in text


def test_a_cut_answer_is_told():
    response = ModelResponse([TextPart("Par")])
    assert "(the answer was not read to its end)" in render_conversation(
        Conversation([exchange(Answer(response), partial=True)])
    )


def test_a_transcript_shows_everything():
    other = UnknownTraffic(2, Request("GET", "https://x.example/a"), Response(200))
    answers = [Answer(ModelResponse([TextPart(text)])) for text in ("a", "b")]
    transcript = Transcript([exchange(answer, number) for number, answer in enumerate(answers)], [other])
    text = render_transcript(transcript)
    headings = [line for line in text.splitlines() if line.startswith("==")]
    assert headings == ["== conversation 1 of 2 ==", "== conversation 2 of 2 ==", "== other traffic ==", "== usage =="]
    assert "GET https://x.example/a -> 200\n" in text
    assert "requests: 2\n" in text


def test_an_empty_transcript_is_shown():
    assert render_transcript(Transcript()) == "== usage ==\n\nrequests: 0\n"


@pytest.mark.parametrize(
    ("traffic", "line"),
    [
        (UnknownTraffic(0, Request("GET", "https://x/a"), Response(404)), "GET https://x/a -> 404"),
        (
            UnknownTraffic(0, Request("GET", "https://x/a"), Failure("ConnectError", Phase.CONNECT, "no")),
            "GET https://x/a -> ConnectError while connecting: no",
        ),
        (
            UnknownTraffic(0, Request("POST", "https://x/a"), Response(200), "anthropic: no JSON"),
            "POST https://x/a -> 200 (unread: anthropic: no JSON)",
        ),
    ],
)
def test_other_traffic_is_one_line(traffic, line):
    assert traffic_line(traffic) == line


def test_bounds_keep_a_page_short():
    prompt = "\n".join(["word " * 500] * 500)
    assert len(render_messages(history(prompt=prompt), bounds=Bounds(8, 100))) < 3_000
    assert len(render_messages(history(prompt=prompt))) > 1_000_000


def test_escape_sequences_do_not_reach_the_terminal():
    text = render_messages([ModelResponse([TextPart("\x1b[2J\x07"), ToolCallPart("f\x1b[1m", {"a": "\x1b"})])])
    assert "\x1b" not in text
    assert "\x07" not in text
