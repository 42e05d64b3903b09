"""Takes secrets out of traffic before it reaches the disk, and finds those that did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from replay_agent.traffic import Interaction, Request

__all__ = "Finding", "Redactor", "scan"


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a committed file: which rule saw it, and where (1-based line)."""

    rule: str
    line: int
    excerpt: str
    """The text around it, the secret itself masked."""


class Redactor:
    """Replaces secrets by placeholders that name the rule or variable, the same way in live and recorded traffic.

    ``rules`` are the user's own: names of JSON, form or query fields, or regular expressions (anything that is not
    a plain name) whose matches go. ``environ`` (default: the process's) is looked through once, at creation, for
    values of credential-like variables. Immutable after creation: may be shared by threads.
    """

    def __init__(self, rules: Iterable[str] = (), *, environ: Mapping[str, str] | None = None) -> None:
        raise NotImplementedError

    def request(self, request: Request) -> Request:
        """Return the request as it is matched and stored: allowed headers only, no secret in URL or body."""
        raise NotImplementedError

    def interaction(self, interaction: Interaction) -> Interaction:
        """Return an interaction as it is stored; ``interaction.request`` is the raw one, as the client sent it.

        An answer that held a secret comes back with its content encoding undone, lengths corrected, chunk boundaries
        kept where no replaced text spans them, and `Response.redacted` set. An interaction without secrets comes
        back with its response unchanged.
        """
        raise NotImplementedError

    def text(self, text: str) -> str:
        """Return text without known secrets and token shapes."""
        raise NotImplementedError


def scan(data: bytes | str, *, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Find secrets in a file's content: token shapes, credential fields, values of credential-like variables."""
    raise NotImplementedError
