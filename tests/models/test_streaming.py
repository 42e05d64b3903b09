from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from replay_agent.calls import Answer, AnswerError
from replay_agent.exceptions import ModelHTTPError, UnexpectedModelBehavior, WireError
from replay_agent.messages import NO_TIMESTAMP, ModelResponse, PartStartEvent, TextPart
from replay_agent.models.streaming import HTTPStreamedResponse
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio
MADE = datetime(2026, 11, 27, tzinfo=UTC)


class Words:
    """A decoder for which each piece is one text; ``!`` is an error, ``?`` cannot be read, ``-`` says nothing yet."""

    def __init__(self, *, status=529, made=MADE, says_when_it_ends=False):
        self.answer = Answer()
        self.finished = says_when_it_ends
        self._status = status
        self._made = made

    def feed(self, data):
        text = data.decode()
        if text == "?":
            raise WireError("this cannot be read", "test")
        if text == "-":
            return []
        if text == "!":
            self.answer.error = AnswerError(self._status, "overloaded")
            return []
        parts = [*(self.answer.response.parts if self.answer.response else []), TextPart(text)]
        self.answer.response = ModelResponse(parts, timestamp=self._made, usage=Usage(response_tokens=len(parts)))
        return [PartStartEvent(len(parts) - 1, parts[-1])]

    def close(self):
        return [PartStartEvent(9, TextPart("last"))] if self.finished else []


class Body(httpx.AsyncByteStream):
    def __init__(self, pieces, error=None):
        self.pieces = pieces
        self.error = error
        self.closed = False

    async def __aiter__(self):
        for piece in self.pieces:
            yield piece.encode()
        if self.error is not None:
            raise self.error

    async def aclose(self):
        self.closed = True


class Letters(Words):
    """Makes an event of each letter of a piece."""

    def feed(self, data):
        return [event for letter in data.decode() for event in super(Letters, self).feed(letter.encode())]


@pytest.fixture
async def streamed():
    """Make responses, and close them afterwards as their user would."""
    made = []

    def make(*pieces, decoder=None, error=None):
        body = Body(pieces, error)
        made.append(HTTPStreamedResponse("m", httpx.Response(200, stream=body), decoder or Words()))
        return made[-1], body

    yield make
    for response in made:
        await response.aclose()


async def texts(response):
    return [event.part.content async for event in response]


async def test_events_come_in_order_and_the_answer_grows(streamed):
    response, _ = streamed("a", "b")
    await response.begin()
    assert await texts(response) == ["a", "b"]
    assert [part.content for part in response.get().parts] == ["a", "b"]
    assert response.get().model_name == "m"
    assert response.usage() == Usage(response_tokens=2)


async def test_begin_reads_up_to_the_first_event_and_no_further(streamed):
    response, _ = streamed("-", "-", "a", "b")
    await response.begin()
    assert [part.content for part in response.get().parts] == ["a"]


async def test_what_has_been_read_ahead_is_not_told_before_it_is_handed_on(streamed):
    response, _ = streamed("ab", decoder=Letters())
    await response.begin()
    told = [[part.content for part in response.get().parts] async for _ in response]
    assert told == [["a"], ["a", "b"]]


async def test_the_decoder_has_the_last_word(streamed):
    response, _ = streamed("a", decoder=Words(says_when_it_ends=True))
    await response.begin()
    assert await texts(response) == ["a", "last"]


@pytest.mark.parametrize("pieces", [(), ("-",)])
async def test_a_stream_that_says_nothing_is_an_error(streamed, pieces):
    response, _ = streamed(*pieces)
    with pytest.raises(UnexpectedModelBehavior, match="without content"):
        await response.begin()


async def test_a_stream_may_be_empty_if_the_provider_says_that_this_was_all(streamed):
    response, _ = streamed(decoder=Words(says_when_it_ends=True))
    await response.begin()
    assert response.get().parts == []
    assert response.usage() == Usage()


async def test_a_refusal_at_the_start_is_known_before_anything_is_handed_on(streamed):
    response, _ = streamed("!", "a")
    with pytest.raises(ModelHTTPError, match="overloaded") as raised:
        await response.begin()
    assert raised.value.status_code == 529


@pytest.mark.parametrize(
    ("status", "error"), [(529, ModelHTTPError), (None, UnexpectedModelBehavior)], ids=["a status", "none"]
)
async def test_a_refusal_in_the_middle_comes_after_what_was_said(streamed, status, error):
    response, _ = streamed("a", "!", decoder=Words(status=status))
    await response.begin()
    seen = []
    with pytest.raises(error, match="overloaded"):
        async for event in response:
            seen += [event.part.content]
    assert seen == ["a"]


async def test_a_body_that_cannot_be_read_is_unexpected(streamed):
    response, _ = streamed("a", "?")
    await response.begin()
    with pytest.raises(UnexpectedModelBehavior, match="this cannot be read") as raised:
        await texts(response)
    assert isinstance(raised.value.__cause__, WireError)


async def test_closing_early_closes_the_body(streamed):
    response, body = streamed("a", "b")
    await response.begin()
    await response.aclose()
    assert body.closed


async def test_a_body_that_fails_while_it_is_let_go_harms_nobody(streamed):
    response, body = streamed("a", error=httpx.ReadError("gone"))
    await response.begin()
    await response.aclose()
    assert body.closed


async def test_the_time_is_the_provider_s_where_it_says_one(streamed):
    response, _ = streamed("a")
    await response.begin()
    assert response.timestamp == response.get().timestamp == MADE


async def test_the_time_stands_still_where_the_provider_says_none(streamed, is_recent):
    response, _ = streamed("a", "b", decoder=Words(made=NO_TIMESTAMP))
    await response.begin()
    first = response.timestamp
    await texts(response)
    assert is_recent(first)
    assert response.timestamp == response.get().timestamp == first
