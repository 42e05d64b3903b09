"""The `VCR` object that pytest-vcr's fixture ``vcr`` is, for modules written for that.

There it is of a module's scope, and fixtures of that scope ask for it, to register serializers and matchers with it. In
pytest-recording ``vcr`` is the cassette of one test, which no fixture of a wider scope can ask for: so who does means
pytest-vcr's, and the tests that go by it are served as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from replay_agent.pytest_plugin.vcr.said import fixture_values as values

if TYPE_CHECKING:
    from vcr import VCR

__all__ = "adopt", "gives_object", "made_for", "meant_by"

Definitions: TypeAlias = Mapping[str, Sequence[Any]]
OF_MODULE = "vcr_of_module"
"""The fixture that stands for `vcr` where the object is meant."""
_ASKS: pytest.StashKey[pytest.Item] = pytest.StashKey()
"""Of a module, one of its tests by which the object is asked for."""
_WIDER = "class", "module"


def meant_by(item: pytest.Item) -> bool:
    """Have a test be given the object for the name `vcr` if that is what its fixtures ask for; tell whether it is."""
    definitions = _definitions(item)
    if "vcr" not in definitions or not any(map(_asks_for_object, _used(definitions))) or not values.is_own(item, "vcr"):
        return False
    # pytest has no public way to say what a name means for one test.
    found = item.session._fixturemanager.getfixturedefs(OF_MODULE, item)  # noqa: SLF001
    module = item.getparent(pytest.Module)
    if not found or module is None:
        return False
    for known in (definitions, _known_to_request(item)):
        known["vcr"] = found
    module.stash.setdefault(_ASKS, item)
    return True


def gives_object(item: pytest.Item) -> bool:
    """Tell whether the name `vcr` means the object for a test."""
    return any(each.argname == OF_MODULE for each in _definitions(item).get("vcr", ())[-1:])


def _definitions(item: pytest.Item) -> dict[str, Any]:
    known: dict[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return known


def _known_to_request(item: pytest.Item) -> dict[str, Any]:
    """Return what the item's own request goes by: of some versions of pytest a copy, made with the item."""
    known: dict[str, Any] = getattr(getattr(item, "_request", None), "_arg2fixturedefs", {})
    return known


def _used(definitions: Definitions) -> list[Any]:
    return [each[-1] for each in definitions.values() if each]


def _asks_for_object(definition: Any) -> bool:
    return "vcr" in definition.argnames and definition.scope in _WIDER


def made_for(request: pytest.FixtureRequest) -> VCR:
    """Return the object for a module: what pytest-vcr makes it of, but that it records nothing unless it is told to."""
    from vcr import VCR

    from replay_agent.pytest_plugin.vcr.run import VcrSettings
    from replay_agent.recording.options import RecordMode

    item = request.node.stash[_ASKS]
    mode = VcrSettings("", "", RecordMode.parse(values.record_mode(request))).keywords()["record_mode"]
    keywords = {
        "record_mode": mode,
        "path_transformer": VCR.ensure_suffix(".yaml"),
        "cassette_library_dir": _folder(request, item),
        **({} if values.is_own(item, "vcr_config") else request.getfixturevalue("vcr_config")),
    }
    return VCR(**keywords)


def _folder(request: pytest.FixtureRequest, item: pytest.Item) -> str:
    if not values.is_own(item, "vcr_cassette_dir"):
        folder: str = request.getfixturevalue("vcr_cassette_dir")
        return folder
    return values.folder_of_all(item)


def adopt(vcr: VCR, theirs: VCR) -> None:
    """Have one object do what was asked of another; where nothing was, it saves as it did."""
    from vcr.persisters.filesystem import FilesystemPersister

    persister = vcr.persister if theirs.persister is FilesystemPersister else theirs.persister
    vars(vcr).update(vars(theirs), persister=persister)
    vcr.serializers, vcr.matchers = dict(theirs.serializers), dict(theirs.matchers)
