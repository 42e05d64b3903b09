"""Project: what the commands that keep files in order are told of the tests that are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

__all__ = ("Project",)


class Project(Protocol):
    """What pytest says of a project when it collects the tests, without running them, and of what it could not collect."""

    @property
    def root(self) -> Path:
        """The rootdir."""

    @property
    def folder(self) -> Path:
        """Where the cassettes are."""

    @property
    def used(self) -> Mapping[Path, Collection[str]]:
        """The cassettes that marked tests play, and the tests of each."""

    @property
    def modules(self) -> Collection[str]:
        """The modules whose tests are all known."""

    @property
    def unmarked(self) -> Collection[str]:
        """The tests that are there and are not marked: what they play, if anything, nobody knows."""

    @property
    def snapshot_folders(self) -> str:
        """What the folders with snapshots are called."""

    @property
    def snapshots(self) -> Mapping[Path, Collection[str]]:
        """Of all tests, marked or not: the folders of their snapshots, and what these are called."""
