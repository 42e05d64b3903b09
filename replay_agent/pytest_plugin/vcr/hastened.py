"""Opens vcrpy's cassettes by our shorter ways, where nothing of vcrpy's own was replaced that they lead around."""

from __future__ import annotations

from inspect import signature
from typing import Any

import vcr.cassette
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.patch import CassettePatcherBuilder

from replay_agent.pytest_plugin.vcr.indexed_cassette import IndexedCassette
from replay_agent.pytest_plugin.vcr.patchers import patched_for

__all__ = "IS_KNOWN", "hastened"

IS_KNOWN = {"after_load_interaction", "skip_patchers"} <= set(signature(Cassette).parameters)
"""Whether vcrpy is of the make whose shorter ways these are: 9 and later; an older one runs as it stands."""

_PATCHING = "_patch_generator"
_MADE = {kind: dict(vars(kind)) for kind in (Cassette, CassetteContextDecorator, CassettePatcherBuilder)}


def hastened(opening: Any) -> Any:
    """Return what `VCR.use_cassette` gave, made to use an indexed cassette and patches that cost less.

    Where a project or a test replaced a part of vcrpy, or vcrpy is older, all of it runs as it stands.
    """
    if (
        not IS_KNOWN
        or type(opening) is not CassetteContextDecorator
        or opening.cls is not Cassette
        or not _is_as_made()
    ):
        return opening
    opening.cls = IndexedCassette
    if hasattr(opening, _PATCHING):
        setattr(opening, _PATCHING, patched_for)
    return opening


def _is_as_made() -> bool:
    present = vcr.cassette.Cassette, vcr.cassette.CassetteContextDecorator, vcr.cassette.CassettePatcherBuilder
    return present == tuple(_MADE) and all(vars(kind) == attributes for kind, attributes in _MADE.items())
