"""What stands in a secret's place, and which secret of a run is which of a recording's.

A placeholder names the rule that took the secret out, and numbers distinct secrets of one rule by order of appearance:
``REDACTED(api_key)``, ``REDACTED(api_key~2)``. Another run has other secrets and may meet them in another order: so names
and numbers are no part of what a request means. They are compared as made-up ids are: what was one secret must be one
again, what were two must be two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = "PLACEHOLDER", "Secrets", "placeholder", "unnamed"

# ``REDACTED(api_key~2)``; possessive throughout, so that an unclosed one is given up at once.
PLACEHOLDER = re.compile(rb"REDACTED\(([A-Za-z0-9_.\-]{1,200}+(?:~[0-9]{1,9}+)?+)\)")
_MARK = b"REDACTED("
_ANY = "~0"
_ODD = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_RULE = 80


def placeholder(rule: str, number: int = 1) -> bytes:
    """Return what stands in a secret's place: it names the rule, field or variable, and tells nothing of the value.

    The first secret of a rule has no number, further ones have theirs; 0 is for what is no secret itself but stands in
    for any. Its characters need no escape in JSON, URLs, forms, headers and YAML.
    """
    name = _ODD.sub("-", rule[:_LONGEST_RULE]) or "secret"
    return f"REDACTED({name})".encode() if number == 1 else f"REDACTED({name}~{number})".encode()


def unnamed(text: bytes, names: list[str]) -> bytes:
    """Return a text with all placeholders alike; what they named is added to ``names``, in order."""
    if _MARK not in text:
        return text
    names += [name.decode() for name in PLACEHOLDER.findall(text)]
    return PLACEHOLDER.sub(b"REDACTED()", text)


class Secrets:
    """Which secret of this run stands where which one of the recording stood, as far as answers were found."""

    def __init__(self) -> None:
        self._recorded: dict[str, str] = {}
        self._live: dict[str, str] = {}

    def fit(self, live: Sequence[str], recorded: Sequence[str], *, literal: bool = False) -> bool:
        """Tell whether the secrets of a request can be those of a recorded one, given what is known of them.

        ``literal`` is for a request that was not redacted: the placeholders in it come from recorded answers. A recorded
        request that does not say which secrets it held fits any.
        """
        if not recorded or not live:
            return True
        if literal:
            return tuple(live) == tuple(recorded)
        to_recorded, to_live = dict(self._recorded), dict(self._live)
        return len(live) == len(recorded) and all(
            mine.endswith(_ANY)
            or (to_recorded.setdefault(mine, theirs) == theirs and to_live.setdefault(theirs, mine) == mine)
            for mine, theirs in zip(live, recorded, strict=True)
        )

    def bind(self, live: Sequence[str], recorded: Sequence[str]) -> None:
        """Keep that the secrets of a request are those of the recorded one whose answer it gets."""
        for mine, theirs in zip(live, recorded, strict=False):
            if not mine.endswith(_ANY):
                self._recorded.setdefault(mine, theirs)
                self._live.setdefault(theirs, mine)
