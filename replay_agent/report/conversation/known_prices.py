"""Prices that were looked up before. The command line keeps them: to import the price list takes longer than all the rest.

Beside each stands what was asked, as a digest; all of them are forgotten when another release of the list is installed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path

__all__ = "keeping_prices", "known_price"

_LIST = "genai_prices"
_MOST = 5_000
"""Prices that are kept, the last ones."""


@contextmanager
def keeping_prices() -> Iterator[None]:
    """Look prices up among those of earlier commands, and keep new ones, until the end of the block.

    Not where this process has the list already: it may have been given other prices.
    """
    folder = None if _LIST in sys.modules else _cache_folder()
    if folder is None:
        yield
        return
    kept = _Kept(folder / "replay-agent" / "prices.json")
    _current.append(kept)
    try:
        yield
    finally:
        _current.remove(kept)
        kept.save()


def known_price(asked: Sequence[object], find: Callable[[], Decimal | None]) -> Decimal | None:
    """Return the price that is kept for what is ``asked``, which tells all that a price depends on; else find it."""
    if not _current:
        return find()
    kept = _current[-1]
    key = sha256(repr(asked).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    found = kept.get(key)
    if found is None:
        price = find()
        kept.put(key, price)
        return price
    return Decimal(found) if found else None


class _Kept:
    """The file of prices, read when the first is asked for: text by digest, empty for what has no price."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._release = ""
        self._prices: dict[str, str] | None = None
        self._is_new = False

    def get(self, key: str) -> str | None:
        if self._prices is None:
            self._release = _release()
            self._prices = _read(self._path, self._release)
        return self._prices.get(key)

    def put(self, key: str, price: Decimal | None) -> None:
        if self._prices is not None:
            self._prices[key] = "" if price is None else str(price)
            self._is_new = True

    def save(self) -> None:
        if not (self._is_new and self._prices and self._release):
            return
        last = dict(list(self._prices.items())[-_MOST:])
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):  # a home that cannot be written to: the next command looks prices up itself
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps({"list": self._release, "prices": last}), "utf-8")
            beside.replace(self._path)


_current: list[_Kept] = []
"""What the command keeps that runs in this process, if one does."""


def _read(path: Path, release: str) -> dict[str, str]:
    """Return the prices of this release of the list; none where the file is not there, or not ours."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    prices = document.get("prices") if isinstance(document, dict) and document.get("list") == release else None
    if not release or not isinstance(prices, dict) or not all(map(_is_price, prices.values())):
        return {}
    return prices


def _is_price(value: object) -> bool:
    try:
        return isinstance(value, str) and (not value or Decimal(value).is_finite())
    except InvalidOperation:
        return False


def _release() -> str:
    """Tell the installed list from every other one, by its files: its name and version take longer to find out."""
    found = PathFinder.find_spec(_LIST)
    folder = next(iter((found and found.submodule_search_locations) or ()), None)
    if folder is None:
        return ""
    try:
        files = sorted((each.name, each.stat()) for each in os.scandir(folder) if each.name.endswith(".py"))
    except OSError:
        return ""
    told = [(folder, name, state.st_size, state.st_mtime_ns) for name, state in files]
    return sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()


def _cache_folder() -> Path | None:
    """Return where programs of this system keep what they can do without; None where nobody does.

    The folder is not made: a home without it, of a build or of a test, is to stay as it is.
    """
    try:
        if sys.platform == "win32":
            place = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local").expanduser()
        elif sys.platform == "darwin":
            place = Path("~/Library/Caches").expanduser()
        else:
            place = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError:  # a user without a home
        return None
    return place if place.is_absolute() and place.is_dir() else None
