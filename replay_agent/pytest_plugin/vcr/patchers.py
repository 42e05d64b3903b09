"""vcrpy's patches of client libraries, put in place in less time: the same attributes, replaced by the same stubs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from vcr.cassette import log
from vcr.patch import CassettePatcherBuilder

from replay_agent.pytest_plugin.vcr.made_requests import STUBS, asked_of, makes_requests
from replay_agent.pytest_plugin.vcr.spare_patches import SparePatches

__all__ = "AbsentModules", "Attribute", "PatcherBuilder", "patched_for"

OPTIONAL = (
    "urllib3",
    "botocore.awsrequest",
    "httplib2",
    "tornado.simple_httpclient",
    "tornado.curl_httpclient",
    "aiohttp",
    "httpx",
    "httpx_curl_cffi",
    "pyreqwest.compatibility.httpx",
    "httpx2",
)
"""Modules of client libraries that vcrpy tries to import for each cassette."""


def patched_for(cassette: Any) -> Iterator[Any]:
    """Have requests answered by a cassette of vcrpy, from the first step of the generator to its second."""
    entered: list[Any] = []
    patches = _spare.taken(cassette, _absent.names(), _built)
    try:
        for patcher in (*patches.all, *_shorter()):
            patcher.__enter__()
            entered.append(patcher)
        log.debug("Entering context for cassette at %s.", cassette._path)  # noqa: SLF001 - as vcrpy does
        yield cassette
        log.debug("Exiting context for cassette at %s.", cassette._path)  # noqa: SLF001
    finally:
        _leave(entered)
        _spare.left(patches)


def _shorter() -> list[Attribute]:
    """Return what has requests made in less time, for a cassette that no other is around."""
    stubs = sys.modules.get(STUBS)
    return [Attribute(stubs, "_make_vcr_request", asked_of)] if makes_requests(stubs) else []


def _built(cassette: Any) -> list[Any]:
    with _absent.known():
        return list(PatcherBuilder(cassette).build())


def _leave(entered: list[Any]) -> None:
    """Undo what was entered last first, and all of it, whatever one of them raises."""
    failures = []
    for patcher in reversed(entered):
        try:
            patcher.__exit__(None, None, None)
        except Exception as failure:  # noqa: BLE001 - raised when all are undone
            failures.append(failure)
    if failures:
        raise failures[-1]


class PatcherBuilder(CassettePatcherBuilder):  # type: ignore[misc]
    """Says what vcrpy replaces, without a mock for each, and each once."""

    def _requests(self) -> Any:
        """Leave alone what the patches of urllib3 replace again: they are the same attributes."""
        is_replaced_again = "urllib3" not in getattr(self._cassette, "skip_patchers", ())
        return () if is_replaced_again else super()._requests()

    def _build_patcher(self, obj: Any, patched_attribute: str, replacement_class: Any) -> Attribute | None:
        if not hasattr(obj, patched_attribute):
            return None
        return Attribute(obj, patched_attribute, self._recursively_apply_get_cassette_subclass(replacement_class))


class Attribute:
    """An attribute of a class or module that is another one for a block, as `unittest.mock.patch.object` makes it."""

    __slots__ = ("_attributes", "_original", "name", "owner", "value")

    def __init__(self, owner: Any, name: str, value: Any) -> None:
        self.owner = owner
        self.name = name
        self.value = value
        self._attributes = vars(owner)
        self._original: Any = None

    def __enter__(self) -> Any:
        self._original = self._attributes.get(self.name, _INHERITED)
        setattr(self.owner, self.name, self.value)
        return self.value

    def __exit__(self, *_: object) -> None:
        original, self._original = self._original, None
        if original is _INHERITED:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, original)


_INHERITED = object()


class AbsentModules:
    """Those of some modules that cannot be imported here."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._searched: list[str] | None = None
        self._absent: list[str] = []

    def names(self) -> list[str]:
        """Return which those are. Nothing is searched for again before ``sys.path`` changes."""
        if sys.path != self._searched:
            self._absent = [name for name in self._names if not _is_there(name)]
            self._searched = list(sys.path)
        return [name for name in self._absent if name not in sys.modules]

    @contextmanager
    def known(self) -> Iterator[None]:
        """Have their imports fail at once for a block."""
        modules: dict[str, Any] = sys.modules
        absent = self.names()
        for name in absent:
            modules[name] = None  # how Python says that there is no such module
        try:
            yield
        finally:
            for name in absent:
                if modules.get(name, self) is None:
                    del modules[name]


def _is_there(name: str) -> bool:
    """Tell whether a module can be imported. One that is there may lack what it needs, and would be run each time."""
    try:
        import_module(name)
    except ImportError:
        return False
    return True


_absent = AbsentModules(OPTIONAL)
_spare = SparePatches(OPTIONAL)
