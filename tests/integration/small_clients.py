"""Twenty-four small clients of a model: twelve that take every fault well, twelve that each do one thing wrong.

Each is asked to book a room: the model calls the tool once and then says so. What they do is what people write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import openai

URL = "https://api.openai.com/v1/chat/completions"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "book", "parameters": PARAMETERS}}]
PROMPT = {"role": "user", "content": "Book a room in Oslo."}
ANSWER = "I have booked a room in Oslo for you."


class Refused(Exception):
    """The client tells its caller that it got no answer it can use."""


# --- what the clients have in common ----------------------------------------------------------------------------------


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the message of an answer that is of use."""
    choice = answer["choices"][0]
    if choice["finish_reason"] not in ("stop", "tool_calls"):
        raise Refused(choice["finish_reason"])
    message: dict[str, Any] = choice["message"]
    if not message.get("content") and not message.get("tool_calls"):
        raise Refused("an empty answer")
    return message


def post(messages: list[Any], *, timeout: float | None = 5, **more: Any) -> dict[str, Any]:
    body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS, **more}
    response = httpx.post(URL, json=body, timeout=timeout)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


Ask = Callable[[list[Any]], dict[str, Any]]
Book = Callable[[str], str]


def arguments(call: dict[str, Any]) -> dict[str, Any]:
    name, args = call["function"]["name"], json.loads(call["function"]["arguments"])
    if name != "book" or set(args) != {"city"}:
        raise Refused(f"a call of {name} with {args}")
    return args


def converse(ask: Ask, book: Book, *, at_most: int = 6) -> str:
    """Ask until the model makes no more calls, each of which is carried out once."""
    messages: list[Any] = [PROMPT]
    done: set[str] = set()
    for _ in range(at_most):
        message = ask(messages)
        if not message.get("tool_calls"):
            return str(message["content"])
        messages.append(message)
        for call in message["tool_calls"]:
            if call["id"] in done:
                raise Refused("the same call twice")
            done.add(call["id"])
            result = book(arguments(call)["city"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    raise Refused("no end")


def retrying(ask: Ask, times: int = 3) -> Ask:
    """Ask again where the connection failed or the server was busy: nothing but the request is repeated."""

    def again(messages: list[Any]) -> dict[str, Any]:
        for _ in range(times - 1):
            try:
                return ask(messages)
            except httpx.TransportError:
                continue
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500 and error.response.status_code != 429:
                    raise
        return ask(messages)

    return again


def streamed(messages: list[Any]) -> list[dict[str, Any]]:
    """Return the chunks of a streamed answer, as they come."""
    body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS, "stream": True}
    chunks = []
    with httpx.stream("POST", URL, json=body, timeout=5) as response:
        response.raise_for_status()
        lines = (line for line in response.iter_lines() if line.startswith("data: ") and line != "data: [DONE]")
        chunks.extend(json.loads(line[6:]) for line in lines)
    return chunks


def put_together(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message that chunks add up to, and why it ended."""
    text, calls, reason = "", {}, None
    for chunk in chunks:
        if "error" in chunk:
            raise Refused(str(chunk["error"]))
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            reason = choice["finish_reason"] or reason
            for piece in choice["delta"].get("tool_calls") or ():
                call = calls.setdefault(
                    piece["index"], {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
                )
                call["id"] = piece.get("id") or call["id"]
                call["function"]["name"] += piece["function"].get("name") or ""
                call["function"]["arguments"] += piece["function"].get("arguments") or ""
    message = {"role": "assistant", "content": text, **({"tool_calls": [*calls.values()]} if calls else {})}
    return {"choices": [{"finish_reason": reason, "message": message}]}


# --- right ------------------------------------------------------------------------------------------------------------


def plain(book: Book) -> str:
    return converse(lambda messages: checked(post(messages)), book)


def with_retries(book: Book) -> str:
    return converse(retrying(lambda messages: checked(post(messages))), book)


def with_many_retries(book: Book) -> str:
    return converse(retrying(lambda messages: checked(post(messages)), times=8), book)


def streaming(book: Book) -> str:
    return converse(lambda messages: checked(put_together(streamed(messages))), book)


def streaming_with_retries(book: Book) -> str:
    return converse(retrying(lambda messages: checked(put_together(streamed(messages)))), book)


def sdk(book: Book) -> str:
    def ask(messages: list[Any]) -> dict[str, Any]:
        with openai.OpenAI(timeout=5) as client:
            answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
            return checked(answer.model_dump(exclude_none=True))

    return converse(ask, book)


def sdk_without_retries(book: Book) -> str:
    def ask(messages: list[Any]) -> dict[str, Any]:
        with openai.OpenAI(timeout=5, max_retries=0) as client:
            answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
            return checked(answer.model_dump(exclude_none=True))

    return converse(ask, book)


def correcting(book: Book) -> str:
    """Tells the model what was wrong with its call, and asks it once more."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        message = checked(post(messages))
        for call in message.get("tool_calls") or ():
            try:
                arguments(call)
            except (ValueError, Refused) as error:
                complaint = {"role": "user", "content": f"That call was wrong: {error}. Make it again."}
                return checked(post([*messages, complaint]))
        return message

    return converse(ask, book)


def asking_again_for_empty_answers(book: Book) -> str:
    def ask(messages: list[Any]) -> dict[str, Any]:
        try:
            return checked(post(messages))
        except Refused:
            return checked(post(messages))

    return converse(ask, book)


def remembering(book: Book) -> str:
    """Starts over after any failure, but knows what it has booked."""
    booked: dict[str, str] = {}

    def once(city: str) -> str:
        if city not in booked:
            booked[city] = book(city)
        return booked[city]

    for _ in range(2):
        try:
            return converse(lambda messages: checked(post(messages)), once)
        except httpx.TransportError:
            continue
    return converse(lambda messages: checked(post(messages)), once)


def failing_over(book: Book) -> str:
    """Asks another address of the same model when the first does not answer."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        try:
            return checked(post(messages))
        except (httpx.TransportError, httpx.HTTPStatusError):
            return checked(post(messages, timeout=2))

    return converse(ask, book)


def wrapping(book: Book) -> str:
    """Wraps what it gets into an error of its own."""
    try:
        return converse(lambda messages: checked(post(messages)), book)
    except Exception as error:
        raise Refused("the booking failed") from error


RIGHT = (
    plain,
    with_retries,
    with_many_retries,
    streaming,
    streaming_with_retries,
    sdk,
    sdk_without_retries,
    correcting,
    asking_again_for_empty_answers,
    remembering,
    failing_over,
    wrapping,
)

# --- wrong ------------------------------------------------------------------------------------------------------------


def starts_over(book: Book) -> str:
    """Starts the whole run again after a failure: what was booked is booked again."""
    for _ in range(2):
        try:
            return converse(lambda messages: checked(post(messages)), book)
        except (httpx.TransportError, httpx.HTTPStatusError):
            continue
    return converse(lambda messages: checked(post(messages)), book)


def takes_what_has_come(book: Book) -> str:
    """Does not look whether a stream came to its end."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        message: dict[str, Any] = put_together(streamed(messages))["choices"][0]["message"]
        if not message["content"] and not message.get("tool_calls"):
            raise Refused("an empty answer")
        return message

    return converse(ask, book)


def swallows_broken_streams(book: Book) -> str:
    """Takes a connection that breaks for the end of the stream."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS, "stream": True}
        chunks: list[dict[str, Any]] = []
        try:
            with httpx.stream("POST", URL, json=body, timeout=5) as response:
                response.raise_for_status()
                chunks.extend(json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {"))
        except httpx.TransportError:
            if not chunks:
                raise
        message: dict[str, Any] = put_together(chunks)["choices"][0]["message"]
        return message

    return converse(ask, book)


def repeats_the_beginning(book: Book) -> str:
    """Goes on with the text it had when it asks again after a broken stream."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS, "stream": True}
        chunks: list[dict[str, Any]] = []
        for _ in range(2):
            try:
                with httpx.stream("POST", URL, json=body, timeout=5) as response:
                    response.raise_for_status()
                    lines = (line for line in response.iter_lines() if line.startswith("data: {"))
                    chunks.extend(json.loads(line[6:]) for line in lines)
                break
            except httpx.TransportError:
                continue
        return checked(put_together(chunks))

    return converse(ask, book)


def ignores_why_it_ended(book: Book) -> str:
    def ask(messages: list[Any]) -> dict[str, Any]:
        message: dict[str, Any] = post(messages)["choices"][0]["message"]
        return message

    return converse(ask, book)


def loops(book: Book) -> str:
    """Asks until it is answered."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        while True:
            try:
                return checked(post(messages))
            except (httpx.TransportError, httpx.HTTPStatusError):
                continue

    return converse(ask, book)


def waits_for_ever(book: Book) -> str:
    return converse(lambda messages: checked(post(messages, timeout=None)), book)


def makes_something_up(book: Book) -> str:
    """Says something nice where there is no answer."""
    try:
        return converse(lambda messages: checked(post(messages)), book)
    except Exception:
        return "Your booking is being processed."


def says_nothing(book: Book) -> str | None:
    try:
        return converse(lambda messages: checked(post(messages)), book)
    except httpx.HTTPError:
        return None


def reads_errors_as_answers(book: Book) -> str:
    """Never looks at the status: takes the message of an error for that of the model."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS}
        answer = httpx.post(URL, json=body, timeout=5).json()
        if "error" in answer:
            return {"role": "assistant", "content": answer["error"]["message"]}
        return checked(answer)

    return converse(ask, book)


def does_it_twice(book: Book) -> str:
    """Carries out every call it is sent, though it has the same id."""
    messages: list[Any] = [PROMPT]
    for _ in range(6):
        message = checked(post(messages))
        if not message.get("tool_calls"):
            return str(message["content"])
        messages.append(message)
        for call in message["tool_calls"]:
            result = book(arguments(call)["city"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    raise Refused("no end")


def skips_damaged_events(book: Book) -> str:
    """Passes over lines that are no JSON, though a word was in them."""

    def ask(messages: list[Any]) -> dict[str, Any]:
        body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS, "stream": True}
        chunks = []
        with httpx.stream("POST", URL, json=body, timeout=5) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                try:
                    chunks.append(json.loads(line.removeprefix("data: ")))
                except ValueError:
                    continue
        return checked(put_together(chunks))

    return converse(ask, book)


WRONG = (
    starts_over,
    takes_what_has_come,
    swallows_broken_streams,
    repeats_the_beginning,
    ignores_why_it_ended,
    loops,
    waits_for_ever,
    makes_something_up,
    says_nothing,
    reads_errors_as_answers,
    does_it_twice,
    skips_damaged_events,
)
