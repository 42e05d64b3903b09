"""What a test recorded and no longer asks for, said in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from replay_agent.calls import Exchange
from replay_agent.report.conversation.lines import short
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.explanation import Explanation
from replay_agent.surroundings import naming
from replay_agent.surroundings.visible import visible
from replay_agent.traffic import Interaction

__all__ = ("leftovers_text",)

# Interactions that are named, and the characters of what each was asked.
_MOST = 5
_WIDTH = 72


def _lines(path: Path, leftovers: Sequence[tuple[int, Interaction]], total: int) -> Iterator[str]:
    """Yield how many there are, what that means, where, and then the first of them."""
    yield f"{len(leftovers)} of {total} recorded interactions {'was' if len(leftovers) == 1 else 'were'} never asked for."
    yield "The agent makes fewer calls, or other ones, than when it was recorded."
    yield f"cassette: {naming.seen_from_here(path)}"
    yield from (f"  {index + 1}. {_headline(interaction)}" for index, interaction in leftovers[:_MOST])
    if len(leftovers) > _MOST:
        yield f"  ... and {len(leftovers) - _MOST} more"


def leftovers_text(
    path: Path, leftovers: Sequence[tuple[int, Interaction]], *, total: int, command: str
) -> Explanation:
    """Return the text that fails a test which left recorded interactions unplayed; ``command`` drops them."""
    one = len(leftovers) == 1
    lines = [visible(line) for line in _lines(path, leftovers, total)]
    explained = Explanation.of(
        [lines],
        [lines],
        cause="never asked for",
        shared=[["Recorded interactions of these tests were never asked for.", lines[1]]],
        purpose=f"If that is meant, this drops {'it' if one else 'them'}, without a call or a key",
        command=command,
        mode="refresh",
        advice=["To keep what is not played: allow_unused=True on the mark, or --replay-unused=ignore."],
    )
    explained.kind, explained.cassette = "leftover", str(path)
    explained.difference = tuple(lines[3:])
    return explained


def _headline(interaction: Interaction) -> str:
    request = interaction.request
    # It tells little here, and may be long.
    place = f"{request.method} {urlsplit(request.url)._replace(query='').geturl()}"
    exchanges = Transcript.from_interactions([interaction]).exchanges
    said = _last_words(exchanges[0]) if exchanges else ""
    return f"{place}  {said}".rstrip()


def _last_words(exchange: Exchange) -> str:
    for message in reversed(exchange.call.messages):
        for part in reversed(message.parts):
            content = getattr(part, "content", None)
            if isinstance(content, str) and content.strip():
                return f"{part.part_kind}: {short(' '.join(content.split()), _WIDTH)}"
    return ""
