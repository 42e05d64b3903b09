"""A comparison for a review: markdown that fits into a comment, the worst first, with what was cut said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from replay_agent.report.comparison.forms.wording import (
    cost_line,
    count,
    headline,
    label,
    lines_of,
    notes,
    place,
    price,
    tokens_line,
)
from replay_agent.report.comparison.limits import Breach
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.result.difference import Difference, gist
from replay_agent.report.comparison.result.grouping import CauseGroup
from replay_agent.report.conversation.lines import short

__all__ = "MOST", "render_markdown"

MOST = 65_536
"""Characters of a comment on GitHub. GitLab takes a million."""
_FOR_THE_END = 400
"""Characters that are kept for saying what was cut."""
_FIRST_CAUSES = 6
"""So many are told before the table of tests: with their words they fill a screen."""
_MOST_OF_A_CAUSE = 4
_MOST_LINES, _MOST_NAMES, _MOST_ROWS, _MOST_EFFECTS = 24, 8, 15, 12
_COLUMNS = "test", "cause", "effects", "first turn", "tokens", "cost"
_LONGEST_LINE = 400
_TICKS = re.compile(r"`+")


def render_markdown(comparison: Comparison, breaches: Sequence[Breach] = (), most: int = MOST) -> str:
    """Return the text, of at most so many characters.

    The first causes come before the worst tests: what was done explains what it did. What cassettes say stands in code,
    so that nothing in it is a link, a mention or a heading.
    """
    table = "\n".join(_table(comparison.changes, _numbers(comparison))) if comparison.changes else ""
    blocks = [*_causes(comparison), *(_test(change) for change in comparison.changes)]
    room = most - _FOR_THE_END
    text = "\n".join(_head(comparison, breaches))[: room - len(table) - 2]
    text, first = _with_blocks(text, blocks[: min(_FIRST_CAUSES, len(comparison.groups))], room - len(table) - 2)
    text, more = _with_blocks(f"{text}\n\n{table}" if table else text, blocks[first:], room)
    return f"{text}{_cut(comparison, blocks, len(blocks) - first - more)}\n"


def _with_blocks(text: str, blocks: Sequence[str], room: int) -> tuple[str, int]:
    """Return a text with what fits behind it, and how many blocks that are."""
    parts, length = [text], len(text)
    for block in blocks:
        length += len(block) + 2
        if length > room:
            break
        parts.append(block)
    return "\n\n".join(parts), len(parts) - 1


def _cut(comparison: Comparison, blocks: Sequence[str], left: int) -> str:
    if not left:
        return ""
    tests = min(left, len(comparison.changes))
    causes = left - tests
    said = [f"{count(causes, 'cause')} of {len(blocks) - len(comparison.changes)}"] if causes else []
    said += [f"{count(tests, 'test')} of {len(comparison.changes):,}"] if tests else []
    return f"\n\n*Cut to fit: {' and '.join(said)} not shown. All of it: `replay-agent diff -v`.*"


def _head(comparison: Comparison, breaches: Sequence[Breach]) -> Iterator[str]:
    yield f"### What changed from {_code(comparison.old)} to {_code(comparison.new)}"
    yield ""
    yield f"{headline(comparison)}."
    old, new = comparison.spent
    if comparison.changes and old != new:
        yield ""
        yield f"Tokens {', '.join(tokens_line(old, new)) or 'unknown'}; cost {cost_line(old, new)}."
    yield from _list("Limits passed", [str(breach) for breach in breaches])
    yield from _list("Not compared", [bad.cause for bad in comparison.unreadable])
    yield from _list("", notes(comparison))


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    if title:
        yield f"**{title}**"
        yield ""
    yield from (f"- {_code(short(line, 500))}" for line in lines[:_MOST_NAMES])
    if len(lines) > _MOST_NAMES:
        yield f"- and {len(lines) - _MOST_NAMES} more"


def _numbers(comparison: Comparison) -> dict[str, int]:
    """Return by test the number under which its first cause is told."""
    groups = {gist(group.cause): number for number, group in enumerate(comparison.groups, 1)}
    return {each.name: groups[gist(each.causes[0])] for each in comparison.changes if each.causes}


def _table(changes: Sequence[TestChange], numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield a row for each of the worst tests; a column in which nothing stands is left out."""
    rows = [[_code(short(each.name, 120)), *_cells(each, numbers.get(each.name))] for each in changes[:_MOST_ROWS]]
    used = [place for place in range(len(_COLUMNS)) if any(row[place] for row in rows)]
    yield f"| {' | '.join(_COLUMNS[place] for place in used)} |"
    yield f"|{'---|' * len(used)}"
    for row in rows:
        cells = [row[place] for place in used]
        yield f"| {' | '.join(cell.replace('|', '&#124;') if '`' not in cell else _piped(cell) for cell in cells)} |"
    if len(changes) > _MOST_ROWS:
        yield f"| and {len(changes) - _MOST_ROWS:,} more {'| ' * len(used)}".rstrip()


def _cells(change: TestChange, number: int | None) -> list[str]:
    if change.state != "changed":
        return [change.state, "", "", "", ""]
    return [
        _first(number, change.causes),
        _named(change.effects) or "none",
        "" if change.first_turn is None else str(change.first_turn),
        _arrow(change.old.tokens, change.new.tokens),
        "" if change.old.cost == change.new.cost else f"{price(change.old.cost)} → {price(change.new.cost)}",
    ]


def _first(number: int | None, causes: Sequence[Difference]) -> str:
    """Name the first cause, by the number under which it is told, and say how many more there are."""
    if not causes:
        return ""
    told = "" if number is None else f"{number}: "
    return f"{told}{_code(short(label(causes[0]), 60))}" + (f" and {len(causes) - 1} more" if len(causes) > 1 else "")


def _arrow(before: int | None, after: int | None) -> str:
    if before == after:
        return ""
    return " → ".join("unknown" if each is None else f"{each:,}" for each in (before, after))


def _named(differences: Sequence[Difference]) -> str:
    names = list(dict.fromkeys(_code(short(label(each), 60)) for each in differences))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _piped(cell: str) -> str:
    return cell.replace("|", "\\|")


def _causes(comparison: Comparison) -> list[str]:
    return [_group(number, group) for number, group in enumerate(comparison.groups, 1)]


def _group(number: int, group: CauseGroup) -> str:
    tests = len(group.tests)
    title = f"**Cause {number}: {_code(label(group.cause))}**, of {count(tests, 'test')}; "
    title += f"effects in {len(group.affected)} of them" if tests > 1 else _does(group)
    names = [_code(short(test.name, 120)) for test in group.tests[:_MOST_OF_A_CAUSE]]
    rest = f" and {tests - len(names)} more" if tests > len(names) else ""
    return "\n\n".join([title, *_fenced(group.cause), f"In {', '.join(names)}{rest}."])


def _does(group: CauseGroup) -> str:
    return "with effects" if group.affected else "no effect on the answers"


def _test(change: TestChange) -> str:
    lines = [f"<details><summary><code>{_escaped(short(change.name, 200))}</code> {_gist(change)}</summary>", ""]
    if change.was is not None:
        lines += [f"Was {_code(short(change.was, 200))}.", ""]
    for cause in change.causes[:_MOST_EFFECTS]:
        lines += [f"- {_at(cause, change)}cause: {_code(label(cause))}"]
    for effect in change.effects[:_MOST_EFFECTS]:
        fence = _fenced(effect)
        lines += [f"- {_at(effect, change)}{_code(label(effect))}", *([""] if fence else [])]
        lines += [f"  {line}" for block in fence for line in [*block.split("\n"), ""]]
    left = len(change.effects) - _MOST_EFFECTS
    lines += [f"- and {count(left, 'effect')} more"] if left > 0 else []
    lines += [f"- tokens {line}" for line in _figures(change)]
    return "\n".join([*lines, "", "</details>"])


def _gist(change: TestChange) -> str:
    if change.state != "changed":
        return change.state
    return f"{count(len(change.causes), 'cause')}, {count(len(change.effects), 'effect')}"


def _at(difference: Difference, change: TestChange) -> str:
    where = place(difference, change.conversations)
    return f"{where}: " if where else ""


def _figures(change: TestChange) -> list[str]:
    if change.state != "changed" or change.old == change.new:
        return []
    tokens = [_code(line) for line in tokens_line(change.old, change.new, change.growth)]
    return [*tokens, f"cost {cost_line(change.old, change.new)}"] if change.old.cost != change.new.cost else tokens


# --- code -------------------------------------------------------------------------------------------------------------


def _fenced(difference: Difference) -> list[str]:
    """Return a block of code with what changed, or nothing to show."""
    lines = [line[:_LONGEST_LINE] for line in lines_of(difference)]
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"... {len(lines) - _MOST_LINES} more lines"]
    text = "\n".join(lines)
    ticks = "`" * max(3, 1 + _longest_ticks(text))
    return [f"{ticks}diff\n{text}\n{ticks}"] if text else []


def _code(text: str) -> str:
    """Return a text as code in a line, whatever it holds."""
    text = " ".join(text.split("\n")) or " "
    ticks = "`" * (1 + _longest_ticks(text))
    room = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{room}{text}{room}{ticks}"


def _longest_ticks(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def _escaped(text: str) -> str:
    """Return a text as HTML, with nothing left in it that is a mention, a reference or code."""
    return "".join(f"&#{ord(each)};" if each in "&<>@#`" else each for each in text)
