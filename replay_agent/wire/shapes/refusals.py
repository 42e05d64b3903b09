"""What a provider's refusal says, whatever its shape: JSON objects and arrays, HTML pages, plain text, nothing."""

from __future__ import annotations

import re
from typing import Any

from replay_agent.calls import AnswerError
from replay_agent.exceptions import WireError
from replay_agent.wire.shapes.json_text import read_json, write_text

__all__ = "error_in", "refusal"

_LONGEST = 2_000
# In this order: AWS writes its word with a capital, FastAPI says detail, OAuth error_description, problem documents
# (RFC 9457) title and detail.
_MESSAGE_FIELDS = ("message", "Message", "detail", "errorMessage", "error_description", "msg", "title")
_TITLE = re.compile(r"<title[^<>]*>([^<>]*)<", re.IGNORECASE)
# Scripts and styles with all that is in them, also where the page is cut within one, and every other tag.
_IGNORED = re.compile(r"<(script|style)\b.*?(?:</\1[^<>]*>|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_ERRORS = range(400, 600)


def refusal(status: int | None, body: bytes) -> AnswerError:
    """Return the error that a whole body stands for; ``status`` wins over a status that the body names."""
    try:
        value = read_json(body, "")
    except WireError:
        # Enough for any page's text, tags included.
        error = AnswerError(None, _plain(body[: 64 * _LONGEST].decode("utf-8", "replace")))
    else:
        error = error_in(value)
    message = error.message.strip() or f"status {status} without a message"
    return AnswerError(error.status if status is None else status, message)


def error_in(value: Any) -> AnswerError:
    """Return the error that a JSON value stands for, with the HTTP status it names, if it names one."""
    if isinstance(value, list) and value:
        return error_in(value[0]) if isinstance(value[0], dict) else AnswerError(None, _shortened(write_text(value)))
    if not isinstance(value, dict):
        return AnswerError(None, _shortened(value if isinstance(value, str) else write_text(value)))
    inner = value.get("error")
    if isinstance(inner, dict):
        return AnswerError(_status(inner) or _status(value), _message(inner))
    if isinstance(inner, str) and inner:
        return AnswerError(_status(value), _shortened(inner))
    return AnswerError(_status(value), _message(value))


def _message(error: dict[str, Any]) -> str:
    for name in _MESSAGE_FIELDS:
        text = error.get(name)
        if isinstance(text, str) and text:
            return _shortened(text)
        if isinstance(text, list | dict) and text:
            return _shortened(write_text(text))
    return _shortened(write_text(error))


def _status(error: dict[str, Any]) -> int | None:
    for name in ("code", "status", "status_code"):
        status = error.get(name)
        if isinstance(status, int) and not isinstance(status, bool) and status in _ERRORS:
            return status
    return None


def _plain(text: str) -> str:
    """Return the words of a text; of an HTML page its title, or else what it shows."""
    if text.lstrip()[:1] == "<":
        title = _TITLE.search(text)
        from html import unescape  # whose table of characters takes longer to import than all of this module

        text = unescape(title[1] if title and title[1].strip() else _IGNORED.sub(" ", text))
    return _shortened(" ".join(text.split()))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
