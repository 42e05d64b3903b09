"""What a docstring says of a function and its parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = "Described", "DocstringFormat", "read_docstring"

DocstringFormat: TypeAlias = Literal["google", "numpy", "sphinx", "auto"]
"""How a docstring is laid out; ``auto`` looks."""

_FIELDS = "param|parameter|arg|argument|key|keyword|type|raises?|except|exception|returns?|rtype|[ic]?var|vartype"
_GOOGLE_SECTIONS = (
    "args|arguments|params|parameters|(keyword|other) (args|arguments|params|parameters)|attributes|functions|methods|"
    "classes|modules|raises|exceptions|warns|warnings|returns|yields|receives|examples?"
)
_NUMPY_SECTIONS = (
    "(other )?parameters|returns|yields|receives|raises|warns|attributes|functions|methods|classes|modules|examples|"
    "deprecated"
)
_LOOKS: tuple[tuple[Literal["google", "numpy", "sphinx"], re.Pattern[str]], ...] = (
    ("sphinx", re.compile(rf"^[ \t]*:({_FIELDS})\b[^:\n]*:", re.MULTILINE)),
    ("google", re.compile(rf"^[ \t]*({_GOOGLE_SECTIONS}):[^\n]*\n[ \t]+\S", re.MULTILINE | re.IGNORECASE)),
    ("numpy", re.compile(rf"^[ \t]*({_NUMPY_SECTIONS})[ \t]*\n[ \t]*---+[ \t]*$", re.MULTILINE | re.IGNORECASE)),
)


@dataclass(frozen=True)
class Described:
    """The text before the first section, and what is said of each parameter."""

    summary: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read_docstring(doc: str | None, format: DocstringFormat) -> Described:
    """Read a docstring in the given format; without a docstring nothing is described."""
    if doc is None:
        return Described()
    from griffe import Docstring, DocstringSectionKind, DocstringSectionText  # costs 0.1 s, needed by few programs

    sections = Docstring(doc, parser=_look(doc) if format == "auto" else format).parse(warnings=False)
    parameters = next((found for found in sections if found.kind is DocstringSectionKind.parameters), None)
    return Described(
        summary=sections[0].value if sections and isinstance(sections[0], DocstringSectionText) else "",
        parameters={found.name.lstrip("*"): found.description for found in parameters.value} if parameters else {},
    )


def _look(doc: str) -> Literal["google", "numpy", "sphinx"]:
    return next((style for style, pattern in _LOOKS if pattern.search(doc)), "google")
