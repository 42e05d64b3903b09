"""What differs between two multipart bodies, part by part: their boundary, which is random, is no difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replay_agent.framing.multipart import BodyPart, parse_multipart
from replay_agent.report.bodies.texts import body_texts, described
from replay_agent.report.compare import Change, MessageChanged, SettingChanged
from replay_agent.report.json_diff import ABSENT
from replay_agent.report.words import word_diff
from replay_agent.traffic import Request, header

__all__ = ("compare_parts",)


def compare_parts(before: Request, after: Request) -> list[Change] | None:
    """Return what changed of the parts of two bodies; None if one of them is not multipart, or the parts are the same."""
    old, new = _labelled(before), _labelled(after)
    if not old or not new:
        return None
    names = [*new, *(name for name in old if name not in new)]
    return [change for name in names for change in _changes(name, old.get(name), new.get(name))] or None


def _labelled(request: Request) -> dict[str, BodyPart]:
    """Return the parts by what they are called: ``part file``, and of several with one name ``part file[1]``."""
    content_type = header(request.headers, "content-type") or ""
    parts = parse_multipart(content_type, request.body) if content_type[:10].lower() == "multipart/" else None
    labelled: dict[str, BodyPart] = {}
    for part in parts or ():
        labelled[_label(part.name, labelled)] = part
    return labelled


def _label(name: str, taken: dict[str, BodyPart]) -> str:
    label = f"part {name}" if name else "part"
    number = sum(other == label or other.startswith(f"{label}[") for other in taken)
    return f"{label}[{number}]" if number or not name else label


def _changes(name: str, old: BodyPart | None, new: BodyPart | None) -> Iterator[Change]:
    if old is None or new is None:
        told = [ABSENT if part is None else described(part.body) for part in (old, new)]
        yield SettingChanged(name, *told)
        return
    for field in dict.fromkeys([*_names(old.headers), *_names(new.headers)]):
        before, after = old.header(field), new.header(field)
        if before != after:
            yield SettingChanged(f"{name}, {field}", before or ABSENT, after or ABSENT)
    if old.body != new.body:
        yield MessageChanged(0, name, word_diff(*body_texts(old.body, new.body)))


def _names(headers: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of header fields that count: the length follows from the body, and only some clients write it."""
    return [name for name, _ in headers if name != "content-length"]
