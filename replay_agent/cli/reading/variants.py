"""What the parameters of a test make of it: which test it is, and which variant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = "by_model", "parted"

_LOOP = re.compile(r"^(?:asyncio|trio)(?:\+uvloop)?(?:-|\Z)|-(?:asyncio|trio)(?:\+uvloop)?\Z")
"""What anyio's parameter adds to the name of a test: ``asyncio-gpt-4o``, ``gpt-4o-trio``."""


def parted(test: str) -> tuple[str, str]:
    """Take the parameters off the name of a test; the event loop that anyio runs it on makes no variant of it."""
    name, bracket, rest = test.partition("[")
    if not (bracket and rest.endswith("]")):
        return test, ""
    return name, _LOOP.sub("", rest[:-1])


def by_model(models: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Tell apart what is the model in the variants of a test, and what else: ``rain-gpt-4o`` is ``rain``, ``gpt-4o``.

    ``models`` are the models that the variants asked. Nothing is returned where a variant does not name its model, or
    where nothing but the model is left: then the variants are what the test has.
    """
    found = {variant: _split(variant, model) for variant, model in models.items()}
    whole = {variant: each for variant, each in found.items() if each is not None}
    rests = {rest for rest, _ in whole.values()}
    names = {name for _, name in whole.values()}
    is_table = len(whole) == len(models) and len(rests) > 1 and len(names) > 1 and all(rests)
    return whole if is_table else {}


def _split(variant: str, model: str) -> tuple[str, str] | None:
    if not model:
        return None
    found = re.search(rf"(?:^|(?<=-))(?:[\w.]+:)?{re.escape(model)}(?=-|$)", variant)
    if found is None:
        return None
    around: Sequence[str] = (variant[: found.start()].rstrip("-"), variant[found.end() :].lstrip("-"))
    return "-".join(each for each in around if each), found[0]
