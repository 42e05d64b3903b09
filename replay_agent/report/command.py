"""The command that a message prints: made of a template, for the record mode that helps."""

from __future__ import annotations

import re

__all__ = ("filled",)

_SAID_TWICE = re.compile(r" --(?:record|replay)-mode=(?:once|refresh)(?= --replay-accept\b)")
"""A mode that ``--replay-accept`` means without being told: ``--record-mode=refresh --replay-accept``."""


def filled(command: str, mode: str) -> str:
    """Return the command with the name of a record mode where ``{mode}`` stands, as short as it does the same."""
    return _SAID_TWICE.sub("", command.replace("{mode}", mode))
