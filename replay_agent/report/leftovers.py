"""What a test recorded and no longer asks for, said in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
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


def leftovers_text(
    path: Path, leftovers: Sequence[tuple[int, Interaction]], *, total: int, command: str
) -> Explanation:
    """Return the text that fails a test which left recorded interactions unplayed; ``command`` drops them."""
    lines = [f"  {index + 1}. {_headline(interaction)}" for index, interaction in leftovers[:_MOST]]
    if len(leftovers) > _MOST:
        lines.append(f"  ... and {len(leftovers) - _MOST} more")
    one = len(leftovers) == 1
    blocks = [
        [
            f"{len(leftovers)} of {total} recorded interactions {'was' if one else 'were'} never asked for.",
            "The agent makes fewer calls, or other ones, than when it was recorded.",
            f"cassette: {naming.seen_from_here(path)}",
            *lines,
        ]
    ]
    blocks = [[visible(line) for line in lines] for lines in blocks]
    explained = Explanation.of(
        blocks,
        blocks,
        cause="never asked for",
        shared=[["Recorded interactions of these tests were never asked for.", *blocks[0][1:2]]],
        purpose=f"If that is meant, this drops {'it' if one else 'them'}, without a call or a key",
        command=command,
        mode="refresh",
        advice=["To keep what is not played: allow_unused=True on the mark, or --replay-unused=ignore."],
    )
    explained.kind, explained.cassette = "leftover", str(path)
    explained.difference = tuple(blocks[0][3:])
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
