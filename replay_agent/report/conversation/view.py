"""Which sections of a run are written, and what in them is masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replay_agent.exceptions import UserError
from replay_agent.report.conversation.plain import parsed, plain

if TYPE_CHECKING:
    from replay_agent.recording.meaning.json_path import JSONPath

__all__ = "EVERYTHING", "MASKED", "SECTIONS", "View"

MASKED = "<masked>"
"""What stands for a masked value."""
SECTIONS = ("messages", "result", "usage")


@dataclass(frozen=True)
class View:
    """Sections to write, and JSON paths to mask in ``{"messages": [...], "result": ..., "usage": {...}}``.

    A path that goes to a field of a message means that field of its parts as well: ``$.messages[*].content`` is all that was
    said, ``$.messages[*].args.date`` an argument of tool calls, ``$.messages[0].content`` the first part.
    """

    without: frozenset[str] = frozenset()
    masks: tuple[JSONPath, ...] = ()

    @classmethod
    def of(cls, without: Iterable[str] = (), masks: Iterable[str] = ()) -> View:
        """Make a view. Raises `UserError` for a section or a path that is none, and if no section is left."""
        left_out = frozenset(without)
        unknown = sorted(left_out.difference(SECTIONS))
        if unknown:
            raise UserError(f"{unknown[0]!r} is no section of a snapshot: there are {', '.join(SECTIONS)}")
        if len(left_out) == len(SECTIONS):
            raise UserError("a snapshot without messages, result and usage holds nothing: leave one of them in")
        from replay_agent.recording.meaning.json_path import JSONPath

        return cls(left_out, tuple(JSONPath.parse(path) for path in masks))

    def shows(self, section: str) -> bool:
        """Tell whether a section is to be written."""
        return section not in self.without

    def messages(self, messages: Sequence[Any]) -> Sequence[Any]:
        """Return messages with what is masked in them; the very same where nothing can be."""
        if not self.masks:
            return messages
        copies = [_copied(message) for message in messages]
        parts = [part for message in copies for part in message.get("parts") or ()]
        # By message first, as its parts are in both lists: what is masked in one is so in the other.
        self._mask({"messages": copies})
        self._mask({"messages": parts})
        return copies

    def value(self, section: str, value: Any) -> Any:
        """Return a result or a usage with what is masked in it; the very same where nothing can be."""
        if not self.masks or value is None:
            return value
        document = {section: plain(value)}
        before = plain(document)
        self._mask(document)
        return value if document == before else document[section]

    def _mask(self, document: dict[str, Any]) -> None:
        for path in self.masks:
            path.put_into(document, MASKED)


def _copied(message: Any) -> dict[str, Any]:
    copy = dict(_fields(message))
    copy["parts"] = [_copied_part(part) for part in copy.get("parts") or ()]
    return copy


def _copied_part(part: Any) -> dict[str, Any]:
    """Return a part whose fields can be changed; JSON in a text, as arguments and results of tools are, is taken apart."""
    return {name: _taken_apart(value) for name, value in _fields(part).items()}


def _taken_apart(value: Any) -> Any:
    if not isinstance(value, str):
        return plain(value)
    structured = parsed(value)
    return value if structured is None else structured


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else vars(value)


EVERYTHING = View()
"""All sections, nothing masked."""
