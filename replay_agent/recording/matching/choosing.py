"""Headers that choose among answers to one question: its format, its language, its version, its place in a stream.

They are no part of a key, since a cassette may lack them: it may be older, or another tool's, or its author may have
left them out. Where both of two requests have one, it must agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from replay_agent.traffic import Headers, Request

__all__ = "CHOOSING_HEADERS", "Choice", "agree", "choice_of", "disagreeing"

Wanted: TypeAlias = str | frozenset[str]
"""What a header says, in one spelling; for preferences, the ranges that are liked best."""
Choice: TypeAlias = tuple[tuple[str, Wanted], ...]
"""What the choosing headers of a request say, by their names in order; those that leave it open are not in it."""


def choice_of(request: Request) -> Choice:
    """Return what the choosing headers of a request say. Without a body its content type says nothing."""
    bodiless = not request.body
    found = [
        (lowered, value.strip())
        for name, value in request.headers
        if (lowered := name.lower()) in CHOOSING_HEADERS and not (bodiless and lowered == "content-type")
    ]
    return _read(tuple(found))


@lru_cache(maxsize=1024)
def _read(headers: Headers) -> Choice:
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in headers:
        lines[name].append(value)
    read = ((name, CHOOSING_HEADERS[name](", ".join(values))) for name, values in sorted(lines.items()))
    return tuple((name, wanted) for name, wanted in read if wanted)


def agree(one: Choice, other: Choice) -> bool:
    """Tell whether two requests choose the same, as far as both choose."""
    return one == other or not disagreeing(one, other)


def disagreeing(one: Choice, other: Choice) -> list[str]:
    """Return the names of the headers that both have and that choose differently."""
    said: Mapping[str, Wanted] = dict(other)
    return [name for name, wanted in one if name in said and not _same(name, wanted, said[name])]


def _same(name: str, one: Wanted, other: Wanted) -> bool:
    if one == other:
        return True
    covers = _COVERS.get(name)
    return covers is not None and any(covers(a, b) or covers(b, a) for a in one for b in other)


# --- reading ----------------------------------------------------------------------------------------------------------


def _exactly(value: str) -> str:
    return value


def _listed(value: str) -> frozenset[str]:
    """The items of a list, in which neither order nor repetition counts."""
    return frozenset(item for each in value.split(",") if (item := each.strip()))


def _media_type(value: str) -> str:
    """``application/json`` of ``Application/JSON; charset=utf-8``: neither a charset nor a boundary is another type."""
    return value.partition(";")[0].strip().lower()


def _liked_best(value: str) -> frozenset[str]:
    """The ranges of the highest quality; nothing where anything is welcome.

    An SDK that goes from ``*/*`` to ``application/json, */*`` asks for the same as before, one that goes from
    ``application/json`` to ``text/event-stream`` does not; a browser's ``text/html, */*;q=0.8`` is no wish for JSON.
    """
    ranges = [_range(item) for item in value.lower().split(",") if item.strip()]
    best = max((quality for _, quality in ranges), default=0.0)
    liked = frozenset(name for name, quality in ranges if quality == best)
    return frozenset() if liked & {"*", "*/*"} else liked


def _range(item: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().replace(" ", "") for piece in item.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    kept = sorted(piece for piece in parameters if piece and not piece.startswith(("q=", "charset=")))
    return ";".join((name, *kept)), _number(quality)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _covers_type(wide: str, narrow: str) -> bool:
    """``text/*`` covers ``text/csv``, ``application/json`` covers ``application/json;version=2``."""
    name = narrow.partition(";")[0]
    return wide in (narrow, name) or (wide.endswith("/*") and name.startswith(wide[:-1]))


def _covers_language(wide: str, narrow: str) -> bool:
    """``en`` covers ``en-gb``."""
    return f"{narrow}-".startswith(f"{wide}-")


_COVERS: Mapping[str, Callable[[str, str], bool]] = {
    "accept": _covers_type,
    "accept-language": _covers_language,
    "x-amzn-bedrock-accept": _covers_type,
}

CHOOSING_HEADERS: Mapping[str, Callable[[str], Wanted]] = {
    **dict.fromkeys(_COVERS, _liked_best),
    **dict.fromkeys(
        ("anthropic-beta", "openai-beta", "prefer", "x-goog-fieldmask", "if-match", "if-none-match"), _listed
    ),
    "content-type": _media_type,
    **dict.fromkeys(
        (
            *("anthropic-version", "mcp-protocol-version", "last-event-id", "content-language", "content-disposition"),
            *("if-modified-since", "if-unmodified-since"),
            *("x-goog-upload-protocol", "x-goog-upload-header-content-type", "x-goog-upload-header-content-length"),
            # versions and variants of an API that are named nowhere else
            *(
                "api-version",
                "x-api-version",
                "x-github-api-version",
                "notion-version",
                "stripe-version",
                "x-ms-version",
            ),
            *("azureml-model-deployment", "ai-model-id", "ai-language-model-id", "dropbox-api-arg"),
            *("x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion", "x-amzn-bedrock-trace"),
            *("x-amzn-bedrock-performanceconfig-latency",),
        ),
        _exactly,
    ),
}
"""By name, how the header is read. What says which client asks (user-agent, x-stainless-*), for whom (openai-project,
x-goog-user-project) or how to send it (accept-encoding) chooses no answer."""
