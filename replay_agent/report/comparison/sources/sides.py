"""Side: one of the two things that are compared, a file, a folder, the work tree or a revision, as contents by path."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from sys import intern
from typing import Protocol

from replay_agent.exceptions import CassetteError, CassetteUnreadable, UserError
from replay_agent.recording.cassettes import store
from replay_agent.report.comparison.sources.git import Objects, Repository, split_range

__all__ = "FolderSide", "RevisionSide", "Side", "is_cassette_name", "open_sides"

_SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".yaml.gz", ".yml.gz", ".json.gz", ".toml.gz")
_NO_CASSETTES = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "__snapshots__"})
_WORK_TREE = "work tree"


def is_cassette_name(path: str) -> bool:
    """Tell whether a file may be a cassette by its name."""
    return path.lower().endswith(_SUFFIXES) and not PurePosixPath(path).name.startswith(".")


class Side(Protocol):
    """Files by path, each with an id that is equal for equal content."""

    name: str
    """What a page calls it: ``main``, ``work tree``, ``old/``."""
    is_explicit: bool
    """Whether every file of it was meant; a whole project has files that look like cassettes and are none."""

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids of the files that may be cassettes; empty for a file that could not be read."""

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises `CassetteError`."""

    def place(self, path: str) -> Path:
        """Return how messages name a file."""


@dataclass
class FolderSide:
    """Files on the disk: a folder, one file, or what git knows of a work tree."""

    name: str
    folder: Path
    names: Iterable[str]
    is_explicit: bool = True
    hashing: str = "sha1"
    """How git names contents in the repository that it is compared with."""

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The names that git would give the contents."""
        found = ((name, self._id(name)) for name in self.names)
        return {name: identity for name, identity in found if identity is not None}

    def _id(self, name: str) -> str | None:
        """Return the id of a file; empty if it cannot be read, None if it is gone from the work tree."""
        try:
            data = self.read(name)
        except CassetteUnreadable:
            return ""
        except CassetteError:
            return None
        digest = hashlib.new(self.hashing, b"blob %d\0" % len(data), usedforsecurity=False)
        digest.update(data)
        return intern(digest.hexdigest())

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises `CassetteError`."""
        return store.read_file(self.folder / path)

    def place(self, path: str) -> Path:
        """Return how messages name a file."""
        return self.folder / path


@dataclass
class RevisionSide:
    """Files of a commit."""

    name: str
    objects: Objects
    ids: Mapping[str, str]
    is_explicit: bool = False

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises `CassetteUnreadable` for one that this clone does not have."""
        data = self.objects.read(self.ids[path])
        if data is None:
            raise CassetteUnreadable(
                f"{self.place(path)} is not in this clone, which left it out. Fetch it: git fetch --refetch.",
                self.place(path),
            )
        return data

    def place(self, path: str) -> Path:
        """Return how messages name a file."""
        return Path(f"{self.name}:{path}")


def open_sides(old: str, new: str | None, closing: ExitStack, *, folder: Path, cassettes: str) -> tuple[Side, Side]:
    """Return the two sides that two words name; ``closing`` ends what they read from.

    A word is a file, a folder or a revision; the first alone may be a range (``main..HEAD``). Without the second it is
    the work tree. ``folder`` is where the words are read from, ``cassettes`` the project's folder of cassettes in it.
    Raises `UserError` with what is wrong of a word, and what could be meant.
    """
    return _Opening(folder, cassettes, closing).sides(old, new)


@dataclass
class _Opening:
    folder: Path
    cassettes: str
    closing: ExitStack

    def sides(self, old: str, new: str | None) -> tuple[Side, Side]:
        span = split_range(old) if not (self.folder / old).exists() else None
        if span is not None:
            return self._range(old, span, new)
        first = self._path(old)
        if new is None:
            return self._with_work_tree(old, first)
        second = self._path(new)
        if first is None and second is None:
            return self._revision(old), self._revision(new)
        if first is None:
            assert second is not None
            return self._beside(old, second), self._on_disk(new, second)
        if second is None:
            return self._on_disk(old, first), self._beside(new, first)
        if first.is_dir() != second.is_dir():
            raise UserError(
                f"{old} and {new} cannot be compared: one is a folder, the other a file. Name two of a kind."
            )
        if first.is_file():
            return self._file(old, first, first.name), self._file(new, second, first.name)
        return self._on_disk(old, first), self._on_disk(new, second)

    def _range(self, text: str, span: tuple[str, str, bool], new: str | None) -> tuple[Side, Side]:
        before, after, parted = span
        if new is not None:
            raise UserError(f"{text} names both sides already; {new} would be a third. Leave one out.")
        one, other = self._commit(before), self._commit(after)
        if parted:
            base = self._repository.parted(one, other)
            if base is None:
                raise UserError(f"{before} and {after} have no common commit here.{self._shallow()}")
            return self._side(f"{base[:10]} (where {after} left {before})", base), self._side(after, other)
        return self._side(before, one), self._side(after, other)

    def _with_work_tree(self, old: str, first: Path | None) -> tuple[Side, Side]:
        if first is None:
            left = self._revision(old)
            return left, self._work_tree()
        own = self.folder / self.cassettes
        if not own.is_dir():
            raise UserError(
                f"What {old} is to be compared with is not said, and there is no folder {self.cassettes} here. "
                f"Name it: replay-agent diff {old} NEW."
            )
        if first.is_file() or own.resolve() in (first.resolve(), *first.resolve().parents):
            raise UserError(
                f"{old} is to be compared with what? Name the other side: a revision (replay-agent diff HEAD {old}), "
                "or another file or folder."
            )
        return self._on_disk(old, first), self._on_disk(self.cassettes, own)

    # --- words --------------------------------------------------------------------------------------------------------

    def _path(self, word: str) -> Path | None:
        """Return what a word names on the disk, None if it has to be a revision."""
        path = self.folder / word
        if not os.path.lexists(path):
            return None
        plain = "/" not in word and os.sep not in word and word not in (".", "..")
        if plain and (repository := self._found()) and repository.commit(word):
            raise UserError(f"{word} is a path and a revision. Write ./{word} for the path, {word}^0 for the revision.")
        return path

    def _found(self) -> Repository | None:
        try:
            return Repository.around(self.folder)
        except UserError:
            return None

    @cached_property
    def _repository(self) -> Repository:
        repository = Repository.around(self.folder)
        assert repository is not None, "asked only where a revision was found"
        return repository

    @cached_property
    def _objects(self) -> Objects:
        return self.closing.enter_context(Objects(self._repository))

    def _commit(self, word: str) -> str:
        if Repository.around(self.folder) is None:
            raise UserError(
                f"There is no file or folder {word}, and {self.folder.resolve()} is in no git repository "
                "that it could be a revision of. Name two files or folders."
            )
        commit = self._repository.commit(word)
        if commit is None:
            raise UserError(
                f"{word} is no file, no folder and no revision here. git branch --all and git tag list the names.{self._shallow()}"
            )
        return commit

    def _shallow(self) -> str:
        shallow = self._repository.is_shallow
        return " This clone is shallow, older commits were left out: git fetch --unshallow." if shallow else ""

    # --- sides --------------------------------------------------------------------------------------------------------

    def _revision(self, word: str) -> Side:
        return self._side(word, self._commit(word))

    def _side(self, name: str, commit: str, below: str = "") -> RevisionSide:
        files = self._repository.files(commit, below).items()
        ids = {path: identity for path, identity in files if is_cassette_name(path)}
        return RevisionSide(name, self._objects, ids, is_explicit=bool(below))

    def _beside(self, word: str, path: Path) -> Side:
        """Return of a revision what is compared with a path: the same file, or what is below the same folder."""
        commit = self._commit(word)
        below = Path(os.path.relpath(path.resolve(), self.folder.resolve())).as_posix()
        if below.startswith(".."):
            raise UserError(f"{path} is not below {self.folder.resolve()}, so {word} has nothing to compare it with.")
        return self._side(word, commit, "" if below == "." else below)

    def _work_tree(self) -> Side:
        names = filter(is_cassette_name, self._repository.present())
        return FolderSide(_WORK_TREE, self.folder, sorted(names), is_explicit=False, hashing=self._hashing)

    @property
    def _hashing(self) -> str:
        head = self._repository.commit("HEAD") or ""
        return "sha256" if len(head) == 64 else "sha1"

    def _on_disk(self, word: str, path: Path) -> Side:
        if not path.is_dir():
            return self._file(word, path, path.name)
        return FolderSide(word, path, sorted(_files(path)), hashing=self._hashing if self._found() else "sha1")

    def _file(self, word: str, path: Path, name: str) -> Side:
        return _OneFile(word, path, name)


@dataclass
class _OneFile:
    """One file, under the name of its partner."""

    name: str
    path: Path
    partner: str
    is_explicit: bool = True

    @cached_property
    def ids(self) -> Mapping[str, str]:
        data = self.read(self.partner)
        return {self.partner: hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()}

    def read(self, path: str) -> bytes:  # noqa: ARG002
        return store.read_file(self.path)

    def place(self, path: str) -> Path:  # noqa: ARG002
        return self.path


def _files(folder: Path) -> Iterable[str]:
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NO_CASSETTES)
        here = Path(above).relative_to(folder)
        yield from ((here / name).as_posix() for name in names if is_cassette_name(name))
