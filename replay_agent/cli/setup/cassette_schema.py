"""The format of cassettes as a JSON Schema (draft 7, as editors know it), made of what the code reads and writes."""

from __future__ import annotations

from typing import Any

from replay_agent.recording.cassettes.json_spelling import LAYOUTS
from replay_agent.recording.cassettes.parts.header import VERSION
from replay_agent.traffic import Phase, Sender, StreamEnd

__all__ = ("cassette_schema",)

# "2", "1+5", "+9", "2@35", "all@120", with blanks and line breaks between; one piece of whole lines is a number in YAML
_PIECE = r"(?:all|[0-9]+(?:\+[0-9]+)?|\+[0-9]+)(?:@-?[0-9]+)?"
_CHUNKS = rf"^{_PIECE}(?:\s+{_PIECE})*\s*$"
_SPELLING = rf"^(?:{'|'.join(LAYOUTS)}|indent [0-9]+|tabs [0-9]+)(?: ascii)?(?: upper)?$"
_BASE64 = r"^[A-Za-z0-9+/=\s]*$"


def cassette_schema() -> dict[str, Any]:
    """Return the schema of a cassette that our `VERSION` of the format describes; vcrpy's and others' are none."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Cassette of pytest-replay-agent, version {VERSION}",
        "type": "object",
        "required": ["version", "interactions"],
        "properties": {
            "version": {"const": VERSION, "description": "Of the format."},
            "library": _text("Which release wrote the file."),
            "recorded_at": _text("When the file was last written, in UTC."),
            "keying": _text("How the keys behind `- # ` were made. They are made anew where this is another."),
            "frozen": {"type": "object", "description": "What stood still while recording, with its seeds."},
            "interactions": {"type": ["array", "null"], "items": {"$ref": "#/definitions/interaction"}},
        },
        "definitions": {
            "interaction": _interaction(),
            "request": _object(
                "What was asked, secrets taken out.",
                required=["method", "uri"],
                method=_TEXT,
                uri=_TEXT,
                headers=_HEADERS,
                body=_BODY,
            ),
            "response": _response(),
            "failure": _object(
                "What happened in the place of an answer, or in the middle of one.",
                required=["kind", "phase"],
                kind={**_TEXT, "description": "The kind of error: ReadTimeout, ConnectError."},
                phase={"enum": [each.value for each in Phase], "description": "How far the exchange had come."},
                message=_TEXT,
                after_ms=_MILLISECONDS,
            ),
            "headers": _headers(),
            "body": _body(),
            "message": _body(),
            "frame": _frame(),
            "text": {
                "anyOf": [
                    {"type": ["string", "number", "boolean"]},
                    {
                        "type": "object",
                        "required": ["json"],
                        "additionalProperties": False,
                        "properties": {"json": _STRING},
                    },
                ]
            },
        },
    }


_STRING = {"type": "string"}
_TEXT = {"$ref": "#/definitions/text"}
_HEADERS = {"$ref": "#/definitions/headers"}
_BODY = {"$ref": "#/definitions/body"}
_FAILURE = {"$ref": "#/definitions/failure"}
_MILLISECONDS = {"type": "integer", "description": "In milliseconds."}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _object(description: str, *, required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _interaction() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "A request and what came back.",
        "required": ["request"],
        "properties": {
            "test": {**_TEXT, "description": "The test that recorded it."},
            "recorded_at": {**_TEXT, "description": "When, in UTC."},
            "request": {"$ref": "#/definitions/request"},
            "response": {"$ref": "#/definitions/response"},
            "failure": _FAILURE,
        },
        "oneOf": [{"required": ["response"]}, {"required": ["failure"]}],
    }


def _response() -> dict[str, Any]:
    ends = [each.value for each in StreamEnd]
    return _object(
        "What came back.",
        required=["status"],
        status={"type": "integer", "minimum": 100, "maximum": 999},
        reason=_TEXT,
        http_version=_TEXT,
        headers=_HEADERS,
        body=_BODY,
        frames={"type": "array", "items": {"$ref": "#/definitions/frame"}},
        end={"enum": ends, "description": "How it ended; complete where nothing is said."},
        waited_ms={**_MILLISECONDS, "description": "How long the client waited after the last piece, in milliseconds."},
        failure=_FAILURE,
        redacted={"type": "boolean", "description": "Whether a secret was taken out of it, and lengths corrected."},
    )


def _headers() -> dict[str, Any]:
    """A list of single headers, as names may come twice; read as one mapping too, which is easier to write by hand."""
    long_form = _object("For names that are no key.", required=["name", "value"], name=_TEXT, value=_TEXT)
    one = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _TEXT}
    return {
        "anyOf": [
            {"type": "array", "items": {"anyOf": [one, long_form]}},
            {"type": "object", "additionalProperties": _TEXT},
            {"type": "null"},
        ]
    }


def _body() -> dict[str, Any]:
    body = _object(
        "The bytes, as readable as they allow: json, else text, else base64.",
        required=[],
        json={"description": "The body as a value; `spelling` says how its text is spelled."},
        text=_STRING,
        base64={"type": "string", "pattern": _BASE64},
        encoded={
            "type": "string",
            "pattern": _BASE64,
            "description": "The bytes of the wire, with the content encoding.",
        },
        spelling={"type": "string", "pattern": _SPELLING},
        escapes=_STRING,
        before=_STRING,
        after=_STRING,
        newline={"const": "crlf"},
        charset={"const": "latin-1"},
        chunks={
            "anyOf": [{"type": "string", "pattern": _CHUNKS}, {"type": "integer", "minimum": 0}],
            "description": "Where its pieces end, in lines and bytes, and when they came: `2@35` two lines after 35 ms.",
        },
    )
    shown = ("json", "text", "base64")
    alone = [
        {"required": [name], "not": {"anyOf": [{"required": [other]} for other in shown if other != name]}}
        for name in shown
    ]
    return {
        **body,
        "type": ["object", "null"],
        "anyOf": [{"type": "null"}, *alone, {"required": ["chunks"]}, {"maxProperties": 0}],
    }


def _frame() -> dict[str, Any]:
    senders = [each.value for each in Sender]
    return {
        **_object(
            "A message of a session.",
            required=[],
            **{name: {"$ref": "#/definitions/message"} for name in senders},
            at={
                **_MILLISECONDS,
                "description": "From the accepted connection, where another than of the frame before.",
            },
            binary={"type": "boolean"},
        ),
        "oneOf": [{"required": [name]} for name in senders],
    }
