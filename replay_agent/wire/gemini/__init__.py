"""Gemini's ``generateContent`` and ``streamGenerateContent``, on AI Studio and on Vertex AI.

Source of the format: https://ai.google.dev/api/generate-content. Google takes and clients write the names of fields in
camel case and in snake case; answers come in camel case. With ``alt=sse`` a stream consists of server-sent events,
without it of the pieces of a JSON array.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlencode

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelResponse
from replay_agent.traffic import Headers
from replay_agent.wire.codec import Asked, Codec, EncodedAnswer, EncodedCall, unchanged_source
from replay_agent.wire.gemini.calls import read_call, write_call
from replay_agent.wire.gemini.enums import STUDIO
from replay_agent.wire.gemini.stream import GeminiStream
from replay_agent.wire.gemini.written import STATUSES, array_pieces, event_of, split_metadata, write_chunks
from replay_agent.wire.shapes.json_text import write_json

__all__ = "Gemini", "codec"

_FORMAT = "gemini"
_JSON = "application/json"

_ADDRESS = re.compile(r"(?:^|/)(?P<model>[^/:]+):(?P<stream>stream)?[gG]enerateContent$")
_CODE_ASSIST = "v1internal"
"""Stands where the model stands in addresses of a service that wraps these bodies in its own."""


class Gemini(Codec):
    """Gemini's own format. The model is in the address; extras are the fields of the body, and the query's ``alt``.

    What the wire does not tell reads as follows: consecutive user contents are one request; texts and media between
    two tool results are one prompt; a retry without a tool is a prompt; a call with ``auto`` tool choice has none.
    Ids of calls and signatures of thoughts are written for turns of a Gemini model, and for all turns of a call whose
    extras have ``functionCallIds``, as those have that were read with any.
    """

    name = "gemini"
    home: ClassVar[str] = "/models/-:generateContent"
    least: ClassVar[Mapping[str, object]] = {"contents": []}

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address names a model of this format."""
        address = _ADDRESS.search(asked.path)
        return address is not None and address["model"] != _CODE_ASSIST

    def claims(self, asked: Asked) -> bool:
        """Tell whether this is a call of ``generateContent`` or ``streamGenerateContent``."""
        return self.serves(asked) and isinstance(asked.fields.get("contents"), list)

    def encode_call(self, call: ModelCall) -> EncodedCall:
        """Write a call; the path belongs to a base URL that ends in ``/models/``.

        Raises `UserError` for a tool whose schema Gemini cannot take.
        """
        verb = "streamGenerateContent" if call.stream else "generateContent"
        alt = call.extras.get("alt")
        query = f"?{urlencode({'alt': alt})}" if alt else ""
        read = partial(read_call, model=call.model, alt=alt, stream=call.stream, dialect=call.dialect)
        body = unchanged_source(call, read) or write_json(write_call(call))
        return EncodedCall(f"{quote(call.model or '', safe='')}:{verb}{query}", body)

    def read_call(self, asked: Asked) -> ModelCall:
        """Read a call."""
        address = _ADDRESS.search(asked.path)
        model = unquote(address["model"]) if address else None
        alt = _alt(asked.url.query)
        # In the path too: a proxy or a scripted provider keeps the host's name there.
        dialect = STUDIO if "generativelanguage" in (asked.url.netloc + asked.path) else None
        return read_call(asked.fields, model, alt, stream=bool(address and address["stream"]), dialect=dialect)

    def stream_decoder(self, call: ModelCall | None, headers: Headers) -> GeminiStream:  # noqa: ARG002
        """Return a decoder for one answer of any shape."""
        return GeminiStream(call.model if call else None, call.dialect if call else None)

    def encode_answer(self, call: ModelCall, answer: ModelResponse) -> EncodedAnswer:
        """Write an answer: JSON, server-sent events for ``alt=sse``, else an array in pieces."""
        parts, metadata = split_metadata(answer.parts)
        chunks = write_chunks(call, answer, parts, metadata)
        if not call.stream:
            return EncodedAnswer(200, (("content-type", f"{_JSON}; charset=UTF-8"),), (write_json(chunks[0]),))
        if call.extras.get("alt") == "sse":
            events = tuple(event_of(chunk) for chunk in chunks)
            return EncodedAnswer(200, (("content-type", "text/event-stream"),), events)
        return EncodedAnswer(200, (("content-type", f"{_JSON}; charset=UTF-8"),), array_pieces(chunks))

    def encode_error(self, call: ModelCall | None, status: int, message: str) -> EncodedAnswer:
        """Write a refusal; a stream that is an array is refused with one."""
        name = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
        error: Any = {"error": {"code": status, "message": message, "status": name}}
        if call is not None and call.stream and call.extras.get("alt") != "sse":
            error = [error]
        return EncodedAnswer(status, (("content-type", f"{_JSON}; charset=UTF-8"),), (write_json(error),))


def _alt(query: str) -> str | None:
    """Return the shape of the answer that a query asks for: ``alt=sse``, ``$alt=json;enum-encoding=int`` without what follows.

    ``alt`` and ``$alt`` are one parameter of all of Google's services (cloud.google.com/apis/docs/system-parameters).
    """
    asked = parse_qs(query)
    shapes = asked.get("alt") or asked.get("$alt")
    return shapes[0].partition(";")[0] if shapes else None


codec = Gemini()
