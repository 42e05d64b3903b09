"""What was said in a cassette, as a page for people and as a line of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from replay_agent import messages
from replay_agent.calls import Exchange, ModelCall, ToolDefinition
from replay_agent.exceptions import CassetteError
from replay_agent.messages import ModelResponse
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.journal import load_journal
from replay_agent.report.conversation.lines import NO_BOUNDS, Bounds, visible
from replay_agent.report.conversation.plain import plain
from replay_agent.report.conversation.text import render_transcript
from replay_agent.report.conversation.transcript import Transcript, UnknownTraffic
from replay_agent.surroundings.visible import visible as shown
from replay_agent.traffic import Interaction, Response

__all__ = "Shown", "for_git", "show", "show_html", "show_journal"

_SCREEN = Bounds(lines=16, width=240)
_MOST_NAMES = 8


@dataclass(frozen=True)
class Shown:
    """A cassette, read and decoded; as text it is one readable page."""

    path: Path
    transcript: Transcript
    bounds: Bounds = _SCREEN

    def __str__(self) -> str:
        return self.text

    @cached_property
    def text(self) -> str:
        """The page: what it is about, the conversations, other traffic, what was used."""
        head = "".join(f"{line}\n" for line in [str(self.path), *_headlines(self.transcript)])
        return shown(f"{head}\n{render_transcript(self.transcript, self.bounds)}")

    @cached_property
    def json(self) -> str:
        """One line of JSON: the file and its exchanges, and what else was on the wire if there was anything."""
        document: dict[str, Any] = {
            "file": str(self.path),
            "exchanges": [_exchange(exchange) for exchange in self.transcript.exchanges],
        }
        if self.transcript.unknown:
            document["unknown"] = [_unknown(traffic) for traffic in self.transcript.unknown]
        return json.dumps(document)


def show(path: Path, *, whole: bool = False) -> Shown:
    """Read a cassette of any known layout. Long messages are shown in part, unless ``whole``.

    Raises `CassetteError` for a file that is no cassette.
    """
    transcript = Transcript.from_interactions(store.load(path).interactions())
    return Shown(path, transcript, NO_BOUNDS if whole else _SCREEN)


def show_html(paths: Sequence[Path], progress: Callable[[int, int], None] | None = None) -> tuple[str, list[str]]:
    """Return cassettes as one page, and complaints about those that cannot be read; no page if that is all of them."""
    from replay_agent.report.page.html.rendering import render
    from replay_agent.report.page.sources.cassettes import report_of_cassettes

    read: list[tuple[Path, Sequence[Interaction]]] = []
    complaints: list[str] = []
    for number, path in enumerate(paths, 1):
        try:
            read.append((path, store.load(path).interactions()))
        except CassetteError as exc:
            complaints.append(str(exc))
        if progress is not None:
            progress(number, len(paths))
    return (render(report_of_cassettes(read, complaints)) if read else ""), complaints


def for_git(path: Path) -> str:
    """Return what ``git diff`` compares of a file: all of the page but its name, which is a temporary file's there.

    A file that is no cassette is returned as it is, conflict marks and all: git gives up the whole diff if its program
    fails. Raises `CassetteError` if there is no such file.
    """
    try:
        transcript = show(path, whole=True).transcript
    except CassetteError:
        if not path.is_file():
            raise
        return path.read_text("utf-8", "replace").removesuffix("\n")
    head = "".join(f"{line}\n" for line in _headlines(transcript))
    return shown(f"{head}\n{render_transcript(transcript)}")


def show_journal(path: Path) -> Shown:
    """Read an unfinished recording. Raises `CassetteError` for a file that is none."""
    cassette = load_journal(path)
    return Shown(path, Transcript.from_interactions(cassette.interactions() if cassette is not None else []))


# --- the page's head --------------------------------------------------------------------------------------------------


def _headlines(transcript: Transcript) -> Iterator[str]:
    exchanges = transcript.exchanges
    if not exchanges:
        yield "no call of a model"
        return
    models = list(dict.fromkeys(model for exchange in exchanges if (model := _model(exchange))))
    formats = list(dict.fromkeys(exchange.format for exchange in exchanges))
    calls = "1 call" if len(exchanges) == 1 else f"{len(exchanges)} calls"
    yield f"{calls} of {_names(models) or 'an unnamed model'} ({', '.join(formats)}){_spent(transcript)}"
    tools = {tool.name: tool for exchange in exchanges for tool in exchange.call.tools}
    if tools:
        yield f"tools: {_names([_signature(tool) for tool in tools.values()])}"
    settings = {name: value for exchange in exchanges for name, value in exchange.call.settings.items()}
    if settings:
        yield f"settings: {_names([f'{name}={json.dumps(plain(value))}' for name, value in settings.items()])}"


def _model(exchange: Exchange) -> str | None:
    response = exchange.answer.response
    return exchange.call.model or (response.model_name if response else None)


def _spent(transcript: Transcript) -> str:
    usage, cost = transcript.usage, transcript.cost
    tokens = f", {usage.request_tokens or 0:,} tokens in, {usage.response_tokens or 0:,} out"
    return f"{tokens}{_price(cost)}" if usage.requests else ""


def _price(cost: Decimal | None) -> str:
    return "" if cost is None else f", about ${cost:.4f}" if cost >= Decimal("0.0001") else ", below $0.0001"


def _signature(tool: ToolDefinition) -> str:
    properties = tool.parameters_json_schema.get("properties")
    return f"{tool.name}({', '.join(properties) if isinstance(properties, dict) else ''})"


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES]) + (
        f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    )
    return " ".join(visible(shown))


# --- JSON -------------------------------------------------------------------------------------------------------------


def _exchange(exchange: Exchange) -> dict[str, Any]:
    response, error = exchange.answer.response, exchange.answer.error
    return {
        "interaction": exchange.interaction,
        "format": exchange.format,
        "call": _call(exchange.call),
        "response": None
        if response is None
        else messages.ModelMessagesTypeAdapter.dump_python([response], mode="json")[0],
        "finish_reason": None if response is None else response.finish_reason,
        "usage": None if response is None else _usage(response),
        "error": None if error is None else {"status": error.status, "message": error.message},
    }


def _usage(response: ModelResponse) -> dict[str, Any]:
    usage = response.usage
    return {
        "request_tokens": usage and usage.request_tokens,
        "response_tokens": usage and usage.response_tokens,
        "details": (usage and usage.details) or {},
    }


def _call(call: ModelCall) -> dict[str, Any]:
    return {
        "model": call.model,
        "messages": messages.ModelMessagesTypeAdapter.dump_python(call.messages, mode="json"),
        "tools": plain(call.tools),
        "tool_choice": plain(call.tool_choice),
        "settings": plain(dict(call.settings)),
        "output_schema": plain(call.output_schema),
        "stream": call.stream,
        "previous_response_id": call.previous_response_id,
        "extras": plain(call.extras),
    }


def _unknown(traffic: UnknownTraffic) -> dict[str, Any]:
    outcome = traffic.outcome
    return {
        "interaction": traffic.interaction,
        "method": traffic.request.method,
        "url": traffic.request.url,
        "status": outcome.status if isinstance(outcome, Response) else None,
        **({} if traffic.kind is None else {"kind": traffic.kind}),
        "reason": traffic.reason,
    }
