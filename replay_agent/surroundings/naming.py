"""Names of tests as names of files, for cassettes and snapshots alike."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from unicodedata import category

__all__ = "by_number", "clashing", "digest", "file_name", "seen_from_here", "without_backend"

_FORBIDDEN = re.compile(r"""[<>?%*:|"'/\\\x00-\x1f\x7f]""")
_HIDDEN = "Cf", "Cc", "Zl", "Zp"
"""Categories of Unicode: marks of direction and characters of no width, controls, separators."""
_MOST_BYTES = 200
"""File systems allow 255 bytes; the rest is left for extensions and for what writes beside the file."""
_DIGEST = 10
_NUMBER = re.compile(r"([0-9]+)")


def by_number(test: str) -> list[tuple[bool, int | str]]:
    """Return a key for sorting, by which ``test[10]`` comes behind ``test[9]``."""
    return [(piece.isdecimal(), int(piece) if piece.isdecimal() else piece) for piece in _NUMBER.split(test)]


def without_forbidden(name: str) -> str:
    """Return a name with ``-`` for every character that a file system may refuse."""
    return _FORBIDDEN.sub("-", name)


def _without_hidden(name: str) -> str:
    """Return a name with ``-`` for every character that turns a line around in a listing, or has no shape there."""
    return name if name.isascii() else "".join("-" if category(letter) in _HIDDEN else letter for letter in name)


@lru_cache(maxsize=256)
def file_name(name: str, *, clashes: bool = False, digest_of: str | None = None) -> str:
    """Return a test's name (``Class.test[param]``) as a file name without extension.

    Characters that a file system may refuse, or that nobody sees, become ``-``; brackets stay. A name that is too long, or that another
    test's name would meet on some file system (``clashes``), ends in a digest of the name as it was, or of what else tells
    the test from others (``digest_of``).
    """
    safe = _without_hidden(without_forbidden(name))
    encoded = safe.encode("utf-8", "ignore")
    if len(encoded) <= _MOST_BYTES and not clashes and safe == encoded.decode():
        return safe
    kept = encoded[: _MOST_BYTES - _DIGEST - 1].decode("utf-8", "ignore")
    return f"{kept}-{digest(name if digest_of is None else digest_of)}"


def digest(text: str) -> str:
    """Return a few letters that tell one text from others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]


def clashing(names: Iterable[str]) -> frozenset[str]:
    """Return those of the names that would share a file with another, also where upper and lower case are one."""
    distinct = set(names)
    files = Counter(file_name(name).casefold() for name in distinct)
    return frozenset(name for name in distinct if files[file_name(name).casefold()] > 1)


def without_backend(name: str, backend: str | None) -> str:
    """Return a test's name without its ``anyio_backend`` parameter: one recording serves every event loop."""
    function, bracket, rest = name.partition("[")
    if backend is None or not bracket or not rest.endswith("]"):
        return name
    parameters = rest[:-1].split("-")
    if backend not in parameters:
        return name
    parameters.remove(backend)
    return f"{function}[{'-'.join(parameters)}]" if parameters else function


def seen_from_here(path: Path) -> str:
    """Return a path as seen from the working directory if it lies below, else whole."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)
