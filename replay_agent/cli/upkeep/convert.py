"""Cassettes of one layout written in another: ours, or vcrpy's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette, render
from replay_agent.recording.cassettes.foreign import dump_vcr
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.recording.redaction.scanning import scan
from replay_agent.traffic import Failure, Interaction, Outcome, Response

__all__ = "Converted", "Target", "convert", "target_of"

Target: TypeAlias = Literal["ours", "vcrpy"]

_SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".yaml.gz", ".yml.gz", ".json.gz", ".toml.gz")
_NO_CASSETTES = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "__snapshots__"})


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of one file."""

    source: Path
    target: Path
    interactions: int = 0
    secrets: int = 0
    """How many were taken out on the way."""
    is_new: bool = True
    """Whether the file was written; one that said it already is left alone."""
    failed: str = ""
    """Why there is no new file, if there is none."""

    def __str__(self) -> str:
        if self.failed:
            return f"{self.source} was not converted: {self.failed}"
        if not self.is_new:
            return f"{self.target} is up to date"
        secrets = f", {self.secrets} secret{'' if self.secrets == 1 else 's'} taken out" if self.secrets else ""
        count = f"{self.interactions} interaction{'' if self.interactions == 1 else 's'}"
        return f"{self.source} -> {self.target}: {count}{secrets}"


def target_of(destination: Path, wanted: Target | None) -> Target:
    """Return which layout is asked for: as it is said, else vcrpy's for a name that ends in ``.json``, ours for any other.

    Raises `UserError` for ours in JSON.
    """
    is_json = destination.suffix.lower() == ".json"
    if wanted == "ours" and is_json:
        raise UserError(f"{destination} cannot be ours: our cassettes are YAML. Name it .yaml, or say --to vcrpy.")
    return wanted or ("vcrpy" if is_json else "ours")


def convert(
    source: Path,
    destination: Path,
    to: Target | None = None,
    *,
    rules: Sequence[str] = (),
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Converted]:
    """Write a cassette, or all below a folder, in another layout, and yield what became of each.

    Bodies keep their bytes, which is checked by reading what would be written; secrets are taken out, those of ``rules``
    too. Each file is replaced at once or not at all. A file that is there and says something else is left alone, unless
    ``overwrite``; so is one whose target another source has. Raises `UserError` where there is nothing to convert.
    """
    target = target_of(destination, to)
    pairs = list(_pairs(source, destination, target))
    if not pairs:
        raise UserError(f"There is no cassette in {source}: nothing to convert.")
    writer = _Writer(target, tuple(rules), overwrite)
    for number, (each, place) in enumerate(pairs, 1):
        yield writer.written(each, place)
        if progress is not None:
            progress(number, len(pairs))


def _pairs(source: Path, destination: Path, target: Target) -> Iterator[tuple[Path, Path]]:
    if not source.exists():
        raise UserError(f"There is no file or folder {source}. Name one that is there.")
    if not source.is_dir():
        inside = destination.is_dir() or str(destination).endswith(os.sep)
        yield source, destination / _named(source.name, target) if inside else destination
        return
    if destination.exists() and not destination.is_dir():
        raise UserError(f"{source} is a folder and {destination} is none. Name a folder for what becomes of it.")
    for path in sorted(_files(source)):
        relative = path.relative_to(source)
        yield path, destination / relative.with_name(_named(relative.name, target))


def _files(folder: Path) -> Iterable[Path]:
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NO_CASSETTES)
        yield from (Path(above, name) for name in names if name.lower().endswith(_SUFFIXES) and name[0] != ".")


def _named(name: str, target: Target) -> str:
    """Return a file's name as the layout has it: ours is YAML, vcrpy's keeps what it can be."""
    suffix = max((each for each in _SUFFIXES if name.lower().endswith(each)), key=len, default="")
    stem = name[: len(name) - len(suffix)] if suffix else name
    if target == "vcrpy" and suffix in (".yaml", ".yml", ".json"):
        return name
    return name if suffix in (".yaml", ".yml") else f"{stem}.yaml"


class _Writer:
    def __init__(self, target: Target, rules: Sequence[str], overwrite: bool) -> None:
        self._target = target
        self._rules = rules
        self._overwrite = overwrite
        self._taken: dict[Path, Path] = {}

    def written(self, source: Path, place: Path) -> Converted:
        """Convert one file."""
        other = self._taken.setdefault(place, source)
        if other != source:
            return Converted(source, place, failed=f"{place} is what {other} became. Rename one of the two.")
        try:
            return self._written(source, place)
        except (CassetteError, UserError) as exc:
            return Converted(source, place, failed=str(exc))
        except OSError as exc:
            return Converted(source, place, failed=f"{place} cannot be written: {exc.strerror or exc}")

    def _written(self, source: Path, place: Path) -> Converted:
        data = store.read_file(source)
        cassette = store.parse(data, source)
        redactor = Redactor(self._rules)
        interactions = [redactor.interaction(each) for each in cassette.interactions()]
        result = self._rendered(cassette, interactions, place)
        _check(interactions, store.parse(result, place), place)
        before = store.read_file(place) if place.exists() else None
        if before is not None and _says_the_same(before, result, place):
            return Converted(source, place, len(interactions), is_new=False)
        if before is not None and before != data and not self._overwrite:
            raise UserError(f"{place} is there and says something else. Remove it, or say --overwrite.")
        store.replace_file(place, result)
        return Converted(source, place, len(interactions), _taken_out(data, result))

    def _rendered(self, cassette: Cassette, interactions: Sequence[Interaction], place: Path) -> bytes:
        if self._target == "vcrpy":
            return dump_vcr(interactions, as_json=place.suffix.lower() == ".json").encode()
        keying = meaning()
        header = cassette.header
        recorded_at = header.recorded_at or next((each.recorded_at for each in interactions if each.recorded_at), None)
        written = Header(keying.scheme, recorded_at, header.frozen, header.library, extra=header.extra)
        return render(written, [new_item(each, keying(each.request)) for each in interactions])


def _says_the_same(before: bytes, result: bytes, place: Path) -> bool:
    if before == result:
        return True
    try:
        there, wanted = store.parse(before, place), store.parse(result, place)
    except CassetteError:
        return False
    return there.layout == wanted.layout and there.interactions() == wanted.interactions()


def _check(interactions: Sequence[Interaction], back: Cassette, place: Path) -> None:
    """Raise `UserError` unless what was written reads as what it was made of: addresses, headers, bytes of bodies."""
    if [_said(each) for each in interactions] != [_said(each) for each in back.interactions()]:
        raise UserError(f"what would be written to {place} does not read back the same; nothing was written")


def _said(interaction: Interaction) -> tuple[object, ...]:
    request = interaction.request
    return request.method, request.url, sorted(request.headers), request.body, _outcome(interaction.outcome)


def _outcome(outcome: Outcome) -> tuple[object, ...]:
    if isinstance(outcome, Failure):
        return outcome.kind, outcome.phase, outcome.message
    assert isinstance(outcome, Response)
    return outcome.status, sorted(outcome.headers), outcome.body


def _taken_out(before: bytes, after: bytes) -> int:
    return max(0, len(scan(before)) - len(scan(after)))
