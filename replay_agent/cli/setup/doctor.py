"""How a project is set up for recording and replay, for a bug report; and what is wrong with it, and what to do."""

from __future__ import annotations

import difflib
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Protocol

from replay_agent.cli.project import options_of
from replay_agent.recording.cassettes.journal import HOME
from replay_agent.recording.clients.installed import Client, installed_clients
from replay_agent.surroundings.credentials import credential_names, is_placeholder
from replay_agent.surroundings.version import __version__

__all__ = "Diagnosis", "SetUp", "Trouble", "diagnose"

_LIBRARIES = ("pytest", "anyio", "pydantic", "syrupy", "vcrpy", "PyYAML", "respx", "genai-prices")
_WIDTH = 14
"""Of the column that names things."""


class SetUp(Protocol):
    """What pytest says of the project."""

    root: Path
    ini_file: Path | None
    plugins: dict[str, str]
    servers: list[str]
    options: dict[str, str]
    record_mode: str
    record_mode_from: str
    cassettes: Path
    known: tuple[str, ...]
    troubles: list[tuple[str, str]]


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong, and what to do."""

    what: str
    do: str


@dataclass(frozen=True)
class Folder:
    """The cassettes of a project, counted."""

    path: str
    files: int = 0
    bytes: int = 0
    unfinished: int = 0
    """Recordings that wait in a journal."""


@dataclass(frozen=True)
class Diagnosis:
    """What is there. Of keys it holds the names, never a value."""

    versions: dict[str, str]
    platform: str
    project: str
    ini_file: str | None
    record_mode: str
    record_mode_from: str
    vcr: list[str]
    options: dict[str, str]
    cassettes: Folder
    clients: list[Client]
    keys: list[str]
    plugins: dict[str, str]
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def json(self) -> dict[str, object]:
        """The same as one JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{name:<{_WIDTH}} {value}" for name, value in self._rows()]
        wrong = [line for each in self.troubles for line in ("", f"Wrong: {each.what}", f"    {each.do}")]
        return "\n".join([*lines, *(wrong or ["", "Nothing is wrong."])])

    def _client_rows(self) -> Iterator[tuple[str, str]]:
        yield "hooked", _listed({each.name: each.version for each in self.clients if each.hooked})
        for each in self.clients:
            if each.why:
                yield "but" if each.hooked else "not recorded", f"{each.name} {each.version}: {each.why}"

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield "versions", _listed(self.versions)
        yield "platform", self.platform
        yield "project", self.project
        yield "ini file", self.ini_file or "none"
        yield "record mode", f"{self.record_mode} ({self.record_mode_from})"
        yield "mark vcr", " and ".join(self.vcr) or "nobody serves it"
        for owner in dict.fromkeys(self.options.values()):
            yield "options", f"of {owner}: {', '.join(name for name, of in self.options.items() if of == owner)}"
        folder = self.cassettes
        waiting = f"; {folder.unfinished} unfinished (replay-agent journals)" if folder.unfinished else ""
        yield "cassettes", f"{folder.path}: {folder.files:,} files, {folder.bytes:,} bytes{waiting}"
        yield from self._client_rows()
        yield "keys set", ", ".join(self.keys) or "none"
        yield "pytest plugins", _listed(self.plugins)


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "none"


def diagnose(found: SetUp, environ: Mapping[str, str] = os.environ) -> Diagnosis:
    """Look at everything, with what pytest says of the project. Nothing is changed."""
    clients = installed_clients()
    broken = [Trouble(*each) for each in found.troubles]
    return Diagnosis(
        versions=_versions(),
        platform=f"{platform.platform()}, {platform.python_implementation()}",
        project=str(found.root),
        ini_file=str(found.ini_file) if found.ini_file is not None else None,
        record_mode=found.record_mode,
        record_mode_from=found.record_mode_from,
        vcr=found.servers,
        options=found.options,
        cassettes=_counted(found.cassettes),
        clients=clients,
        keys=_keys(environ),
        plugins=found.plugins,
        troubles=[
            *broken,
            *_unknown_options(found),
            *_of_clients(clients),
            *_unwritable([found.cassettes, Path(tempfile.gettempdir())]),
        ],
    )


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:3]))
    found = {"replay-agent": __version__, "Python": python}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "(not installed)"
    return found


def _keys(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that hold a key, or lead to one."""
    return sorted(name for name in credential_names() if environ.get(name) and not is_placeholder(environ[name]))


def _counted(folder: Path) -> Folder:
    files = size = unfinished = 0
    for place, _, names in os.walk(folder):
        hidden = HOME in Path(place).parts
        for name in names:
            if not hidden and name.endswith((".yaml", ".yml", ".json")):
                files += 1
                size += (Path(place) / name).stat().st_size
            unfinished += hidden and Path(place).name == "journals"
    return Folder(str(folder), files, size, unfinished)


def _unknown_options(found: SetUp) -> Iterator[Trouble]:
    if found.ini_file is None:
        return
    for name in options_of(found.ini_file):
        if name.startswith("replay_") and name not in found.known:
            near = difflib.get_close_matches(
                name[len("replay_") :], [known[len("replay_") :] for known in found.known], n=1
            )
            advice = f"did you mean replay_{near[0]}?" if near else "pytest --help lists those that there are"
            yield Trouble(f"{name} in {found.ini_file.name} is no option: it says nothing", advice)


def _of_clients(clients: Sequence[Client]) -> Iterator[Trouble]:
    for client in clients:
        if "cannot be hooked" in client.why or " has no " in client.why:
            yield Trouble(
                f"{client.name} {client.version} goes by us: {client.why}",
                f"install another version of {client.name}, and tell us of this one",
            )


def _unwritable(folders: Sequence[Path]) -> Iterator[Trouble]:
    for folder in folders:
        place = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
        try:
            with tempfile.TemporaryFile(dir=place):
                continue
        except OSError as exc:
            yield Trouble(
                f"nothing can be written to {place} ({exc.strerror})", "recording needs it; replay works without"
            )
