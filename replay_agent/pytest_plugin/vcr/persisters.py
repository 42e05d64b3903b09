"""Where a cassette of vcrpy is read from and saved to: in one step, and not before it is known whether to save at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vcr.persisters.filesystem import CassetteNotFoundError, FilesystemPersister
from vcr.serialize import deserialize, serialize
from vcr.serializers import yamlserializer

from replay_agent.exceptions import CassetteUnwritable
from replay_agent.pytest_plugin.vcr.made_requests import loaded
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.dumped_yaml import NotDumped, read_dumped

__all__ = "AfreshPersister", "FilePersister", "PatientPersister", "ReadingPersister"

_DESERIALIZE = yamlserializer.deserialize


class _DumpedYaml:
    """Reads with vcrpy's own serializer, but what that wrote itself in less time."""

    def __init__(self) -> None:
        self.was_dumped = True
        """Whether all that was read came from PyYAML's dumper, without anchors: no two values are one object."""

    def load(self, text: str) -> tuple[Any, ...]:
        """Return the requests and the responses, and what else there is."""
        try:
            self._document = read_dumped(text)
        except (NotDumped, RecursionError):
            self.was_dumped = False
            found: tuple[Any, ...] = deserialize(text, yamlserializer)
        else:
            found = loaded(self._document) or deserialize(text, self)
        return found

    def deserialize(self, _text: str) -> Any:
        return self._document


class FilePersister(FilesystemPersister):  # type: ignore[misc]
    """Plays from several cassettes and saves the first in one step."""

    def __init__(self, extra: Sequence[Path]) -> None:
        self._extra = extra
        self.shares_nothing = False
        """Whether what was read is nobody else's, and no part of it another part's."""

    def load_cassette(self, cassette_path: str, serializer: Any) -> tuple[Any, ...]:
        metadata: list[Any] = []
        requests: list[Any] = []
        responses: list[Any] = []
        is_usual = serializer is yamlserializer and yamlserializer.deserialize is _DESERIALIZE
        reader = _DumpedYaml()
        load = reader.load if is_usual else partial(deserialize, serializer=serializer)
        paths = dict.fromkeys([Path(cassette_path), *self._extra]) if self._extra else [cassette_path]
        for path in paths:
            try:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123 - asked for each test, where a `Path` costs more
                    text = file.read()
            except OSError:
                continue
            more_requests, more_responses, *more = load(text) if text.strip() else ((), ())
            metadata = metadata or more
            requests += more_requests
            responses += more_responses
        if not requests:
            raise CassetteNotFoundError(f"There is no cassette {cassette_path}")
        self.shares_nothing = is_usual and reader.was_dumped
        return requests, responses, *metadata

    @staticmethod
    def save_cassette(cassette_path: str, cassette_dict: dict[str, Any], serializer: Any) -> None:
        text = serialize(cassette_dict, serializer)
        data = text.encode() if isinstance(text, str) else text
        path = Path(cassette_path)
        try:
            store.replace_file(path, data)
        except OSError as error:
            raise CassetteUnwritable(f"{path} cannot be saved: {error}. What was there is untouched.", path) from error


class PatientPersister:
    """A persister whose failure to save is kept for later: vcrpy leaves its patches in place when saving raises."""

    def __init__(self, persister: Any) -> None:
        self._persister = persister
        self._failure: Exception | None = None

    @property
    def shares_nothing(self) -> bool:
        """Whether what was read is nobody else's, and no part of it another part's."""
        return isinstance(self._persister, FilePersister) and self._persister.shares_nothing

    def load_cassette(self, cassette_path: str, serializer: Any) -> Any:
        return self._persister.load_cassette(cassette_path, serializer)

    def save_cassette(self, cassette_path: str, cassette_dict: dict[str, Any], serializer: Any) -> None:
        try:
            self._persister.save_cassette(cassette_path, cassette_dict, serializer)
        except Exception as failure:  # noqa: BLE001 - raised by `give_up`
            self._failure = failure

    def give_up(self) -> None:
        """Raise what went wrong while saving."""
        if self._failure is not None:
            raise self._failure


class AfreshPersister:
    """Another persister, for a cassette that is recorded anew: the old one is not played, and stays if the test fails."""

    def __init__(self, persister: Any, extra: Sequence[Path], path: Path, passed: Callable[[], bool]) -> None:
        self._persister = persister
        others = [other for other in extra if other.resolve() != path.resolve()]
        self._extra = FilePersister(others) if isinstance(persister, FilePersister) else None
        self._path = path
        self._passed = passed
        self.saved = False

    def load_cassette(self, cassette_path: str, serializer: Any) -> Any:
        if self._extra is None:
            raise CassetteNotFoundError(f"{cassette_path} is recorded anew")
        return self._extra.load_cassette(os.devnull, serializer)

    def save_cassette(self, cassette_path: str, cassette_dict: dict[str, Any], serializer: Any) -> None:
        if self._passed():
            self._persister.save_cassette(cassette_path, cassette_dict, serializer)
            self.saved = True

    def finish(self) -> None:
        """Remove the old file of a test that has passed and recorded nothing."""
        if self._passed() and not self.saved:
            self._path.unlink(missing_ok=True)


class ReadingPersister:
    """Another persister that saves nothing."""

    def __init__(self, persister: Any) -> None:
        self._persister = persister

    def load_cassette(self, cassette_path: str, serializer: Any) -> Any:
        return self._persister.load_cassette(cassette_path, serializer)

    @staticmethod
    def save_cassette(cassette_path: str, cassette_dict: dict[str, Any], serializer: Any) -> None:
        """Leave what is there."""
