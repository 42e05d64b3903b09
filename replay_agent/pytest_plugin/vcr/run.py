"""vcrpy, as pytest-recording runs it, under our watch: its cassettes, its stubs, its errors, and no answer lost.

What a suite written for pytest-recording leans on is vcrpy's own: the `VCR` object its hook configures, the `Cassette` its
tests look at, the stub modules its mocks replace. Added are misses that no client can swallow, saving in one step, the
old cassette kept until a rewriting test has passed, and the conversation in it all.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from vcr import VCR
from vcr.cassette import Cassette
from vcr.errors import CannotOverwriteExistingCassetteException, UnhandledHTTPRequestError

from replay_agent.harness import DecodedTraffic
from replay_agent.pytest_plugin.failures import FailingMiss
from replay_agent.pytest_plugin.vcr.hastened import hastened
from replay_agent.pytest_plugin.vcr.persisters import AfreshPersister, FilePersister, PatientPersister
from replay_agent.pytest_plugin.vcr.stub_modules import StubModules
from replay_agent.recording.cassettes.foreign import read_foreign
from replay_agent.recording.clients import intercept
from replay_agent.recording.misses import Miss, MissReason
from replay_agent.recording.options import RecordMode
from replay_agent.recording.process import backoff
from replay_agent.recording.process.patching import Patch
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Interaction, Request, Response

__all__ = "VcrMiss", "VcrRun", "VcrSettings", "file_name", "merged", "suffix_of"

_LONGEST_NAME = 255
_REFUSAL = "CannotOverwriteExistingCassetteException"
_stubs = StubModules(_REFUSAL)


def merged(config: Mapping[str, Any], marks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings for vcrpy: the configuration, and over it the keywords of the marks, closest last."""
    settings = _own_copy(config)
    for keywords in marks:
        settings.update(keywords)
    return settings


def _own_copy(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy, in less time if it is of texts and lists of them, as most are."""
    copied: dict[str, Any] = {}
    for name, value in config.items():
        kind = type(value)
        if kind is list and all(type(each) in _UNCHANGEABLE for each in value):
            copied[name] = value.copy()
        elif kind in _UNCHANGEABLE:
            copied[name] = value
        else:
            return copy.deepcopy(dict(config))
    return copied


_UNCHANGEABLE = frozenset({str, bool, int, type(None)})


def file_name(name: str, serializer: str = ".yaml") -> str:
    """Return the name, cut and given a digest if it is too long for a file system.

    To the letter as pytest-recording does, which takes the name of the serializer for the suffix: files it wrote are
    to be found.
    """
    if len(name) + len(serializer) <= _LONGEST_NAME:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: _LONGEST_NAME - len(serializer) - len(digest) - 3]}...{digest}"


def suffix_of(config: Mapping[str, Any]) -> str:
    """Return the suffix of a cassette's file: its serializer's name."""
    return f".{config['serializer']}" if "serializer" in config else ".yaml"


@dataclass(frozen=True)
class VcrSettings:
    """What the fixtures and marks of one test say."""

    name: str
    folder: str
    record_mode: RecordMode
    config: Mapping[str, Any] = field(default_factory=dict)
    """Keywords for ``VCR.use_cassette``, without the record mode."""
    extra: Sequence[str] = ()
    """Further cassettes to play from, relative to the folder. They are never written."""

    @property
    def replays_only(self) -> bool:
        """Whether nothing may go live."""
        return self.record_mode is RecordMode.NONE

    @property
    def afresh(self) -> bool:
        """Whether the old cassette is to be replaced as a whole."""
        return self.record_mode is RecordMode.REWRITE

    @property
    def suffix(self) -> str:
        """The suffix of the file."""
        return suffix_of(self.config)

    @property
    def paths(self) -> list[Path]:
        """The further cassettes."""
        return [Path(self.folder, path) for path in self.extra]

    def keywords(self) -> dict[str, Any]:
        """Return the keywords for ``VCR.use_cassette``, our own modes told in vcrpy's words."""
        words: dict[str, Any] = {**self.config, "record_mode": self.record_mode.value}
        if self.record_mode in (RecordMode.REWRITE, RecordMode.REFRESH):
            words["record_mode"] = RecordMode.NEW_EPISODES.value
        if self.record_mode is RecordMode.REFRESH:
            words["drop_unused_requests"] = True
        return words


class VcrMiss(FailingMiss):
    """A request that vcrpy refused.

    No ``except Exception`` catches it, but who asks with ``isinstance`` whether it is vcrpy's own error, as
    ``pytest.raises`` does, is told yes, and finds that error's attributes.
    """

    def __init__(
        self, text: str, request: Request, path: Path, refusal: CannotOverwriteExistingCassetteException
    ) -> None:
        self._refusal = refusal
        super().__init__(text, request, path)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without vcrpy's cassette, which is of this process."""
        return _miss_that_travelled, (str(self), self.request, self.path, str(self._refusal))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._refusal)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._refusal, name)

    def was_caught_in(self, file: str) -> bool:
        """Tell whether code of this file is where the miss was caught, as far as it has come."""
        return self.__traceback__ is not None and self.__traceback__.tb_frame.f_code.co_filename == file


def _miss_that_travelled(text: str, request: Request, path: Path, refusal: str) -> VcrMiss:
    kind = CannotOverwriteExistingCassetteException
    error = kind.__new__(kind, refusal)
    error.cassette = error.failed_request = None
    return VcrMiss(text, request, path, error)


class VcrRun(DecodedTraffic):
    """One test's traffic as vcrpy records and replays it, and what was refused."""

    def __init__(self, settings: VcrSettings, *, test: str, file: str, command: Callable[[], str]) -> None:
        """``file`` is the module of the test; ``command`` returns how to record anew, ``{mode}`` standing for the mode."""
        super().__init__()
        self.settings = settings
        self.misses: list[VcrMiss] = []
        self.cassette: Cassette | None = None
        self._test = test
        self._file = file
        self._command = command
        self._told: set[int] = set()
        self._said: list[tuple[Any, Any]] = []
        self._read: list[Interaction] = []
        self._found: list[tuple[Any, Any]] = []
        self._lock = Lock()

    @property
    def cassette_path(self) -> Path:
        """Where the cassette is, or would be."""
        return Path(self.cassette._path) if self.cassette is not None else Path(self.settings.folder)  # noqa: SLF001 - its public name came with vcrpy 9

    @property
    def interactions(self) -> list[Interaction]:
        """What was played or recorded so far, in the order of the answers."""
        with self._lock:
            for request, response in self._said[len(self._read) :]:
                self._read.append(_interaction(request, response, self.cassette_path))
            return list(self._read)

    @property
    def requests(self) -> list[Request]:
        """The requests that were answered so far."""
        return [interaction.request for interaction in self.interactions]

    @property
    def play_count(self) -> int:
        """How many answers were replayed so far."""
        return self.cassette.play_count if self.cassette is not None else 0

    @property
    def recorded(self) -> list[Interaction]:
        """What was in the cassette when it was opened."""
        return [_interaction(request, response, self.cassette_path) for request, response in self._found]

    def played(self) -> Iterator[tuple[Request, Request]]:
        """Yield the requests that were answered from the cassette, filtered as vcrpy does, each with the recorded one."""
        places = {id(response): request for request, response in self._found}
        for asked, response in self._said:
            recorded = places.get(id(response))
            if recorded is not None and self.cassette is not None:
                filtered = self.cassette.filter_request(asked) or asked
                yield _request(filtered, self.cassette_path), _request(recorded, self.cassette_path)

    def unplayed(self) -> Iterator[Request]:
        """Yield the recorded requests that were not asked for."""
        counts = self.cassette.play_counts if self.cassette is not None else {}
        yield from (
            _request(request, self.cassette_path)
            for place, (request, _) in enumerate(self._found)
            if not counts.get(place)
        )

    @property
    def unreported_misses(self) -> list[VcrMiss]:
        """What was refused and nobody was told: not the report, and not the test's own code, which may expect it."""
        return [miss for miss in self.misses if id(miss) not in self._told and not miss.was_caught_in(self._file)]

    def reported(self, miss: BaseException) -> None:
        """Say that this miss has reached the report of the test."""
        self._told.add(id(miss))

    @contextmanager
    def opened(
        self, configure: Callable[[VCR], object], passed: Callable[[], bool] = lambda: True
    ) -> Iterator[Cassette]:
        """Let vcrpy record and replay until the end of the block, and yield its cassette.

        ``configure`` is given the `VCR` object before the cassette is loaded; ``passed`` is asked in the end whether a
        cassette that was recorded afresh may take the place of the old one. Raises `CassetteUnwritable` if it cannot be
        saved.
        """
        settings = self.settings
        vcr = VCR(
            path_transformer=VCR.ensure_suffix(settings.suffix),
            cassette_library_dir=settings.folder,
            record_mode=settings.keywords()["record_mode"],
        )
        vcr.register_persister(FilePersister(settings.paths))
        configure(vcr)
        name = file_name(settings.name, settings.config.get("serializer", ".yaml"))
        afresh = self._begin_afresh(vcr, name, passed) if settings.afresh else None
        patient = PatientPersister(settings.config.get("persister", vcr.persister))
        vcr.register_persister(patient)
        with intercept.beside(records=not settings.replays_only), ExitStack() as doors:
            doors.callback(patient.give_up)
            self.cassette = doors.enter_context(hastened(vcr.use_cassette(name, **settings.keywords())))
            self._found = list(self.cassette.data)
            self._listen(self.cassette, doors)
            self._refuse(self.cassette, doors)
            yield self.cassette
        if afresh is not None:
            afresh.finish()

    def _begin_afresh(self, vcr: VCR, name: str, passed: Callable[[], bool]) -> AfreshPersister:
        config = vcr.get_merged_config(path=name, **self.settings.keywords())
        path = Path(config["path_transformer"](name))
        afresh = AfreshPersister(config["persister"], self.settings.paths, path, passed)
        vcr.register_persister(afresh)
        return afresh

    def _listen(self, cassette: Cassette, doors: ExitStack) -> None:
        """Note what is played and recorded. Set on this one cassette: vcrpy makes it of a class of its own choice."""
        play, append = cassette.play_response, cassette.append

        def noting_play(request: Any) -> Any:
            response = play(request)
            with self._lock:
                self._said.append((request, response))
            backoff.note(_head(response))
            return response

        def noting_append(request: Any, response: Any) -> None:
            with self._lock:
                before = len(cassette.data)
                append(request, response)
                self._said.extend(cassette.data[before:])

        def stop() -> None:
            own = vars(cassette)  # which would hold this run, as it holds the cassette
            if own.get("play_response") is noting_play:
                del cassette.play_response
            if own.get("append") is noting_append:
                del cassette.append

        doors.callback(stop)
        cassette.play_response, cassette.append = noting_play, noting_append

    def _refuse(self, cassette: Cassette, doors: ExitStack) -> None:
        """Have vcrpy's stubs raise our miss instead of the error that a client's ``except Exception`` swallows."""
        doors.callback(_close, cassette)
        _open[id(cassette)] = self
        for module in _stubs.present():
            _patch_of(module).apply()

    def missed(self, refusal: CannotOverwriteExistingCassetteException) -> VcrMiss:
        """Return the miss that a refusal of vcrpy's is, explained, and keep it."""
        from replay_agent.report.drift import explain

        miss = self._miss(refusal)
        words, *_ = str(refusal).partition("\n\nHow to fix:")
        told = f"{explain(miss, self._command())}\n\nIn vcrpy's words: {words}"
        missed = VcrMiss(told, miss.request, self.cassette_path, refusal)
        self.misses.append(missed)
        return missed

    def _miss(self, refusal: CannotOverwriteExistingCassetteException) -> Miss:
        cassette, path, mode = refusal.cassette, self.cassette_path, self.settings.record_mode.value
        asked = Redactor().request(_request(refusal.failed_request, path))
        played = frozenset(index for index, times in cassette.play_counts.items() if times)

        def recorded() -> list[Interaction]:
            return [_interaction(request, response, path) for request, response in cassette.data]

        times = _times_recorded(cassette, refusal.failed_request)
        reason: MissReason = "no cassette" if not len(cassette) else "used up" if times else "changed"
        return Miss(asked, path, mode, self._test, recorded, played, reason, times)


_open: dict[int, VcrRun] = {}
"""By the identity of their cassettes, the runs whose refusals are misses."""
_patched: dict[str, tuple[ModuleType, Patch]] = {}
"""By the name of a stub module, the module that has it now."""
_displaced: list[Patch] = []
"""Those in modules that others have taken the place of while runs were open."""


def _patch_of(module: ModuleType) -> Patch:
    """Return the patch of a stub module, made once: each test puts it in place."""
    known = _patched.get(module.__name__)
    if known is not None and known[0] is module:
        return known[1]
    if known is not None:
        _displaced.append(known[1])
    patch = Patch(module, _REFUSAL, _missing)
    _patched[module.__name__] = module, patch
    return patch


def _close(cassette: Cassette) -> None:
    del _open[id(cassette)]
    if not _open:  # else another run, around this one, needs them still
        _undo_all()


def _undo_all() -> None:
    for patch in (*_displaced, *(patch for _, patch in _patched.values())):
        patch.undo()
    _displaced.clear()


def _missing(original: Any) -> Any:
    def refusal(*, cassette: Cassette, failed_request: Any) -> BaseException:
        error = original(cassette=cassette, failed_request=failed_request)
        run = _open.get(id(cassette))
        return run.missed(error) if run is not None else error

    return refusal


def _times_recorded(cassette: Cassette, request: Any) -> int:
    try:
        return len(cassette.responses_of(request))
    except UnhandledHTTPRequestError:
        return 0


def _head(response: Mapping[str, Any]) -> Response:
    """Return of an answer what tells whether it is a refusal: its status, and which headers it has."""
    code, names = response["status"]["code"], tuple(map(str, response.get("headers", ())))
    return _usual_head(code, names) if type(code) is int else Response(code, tuple([(name, "") for name in names]))


@lru_cache(maxsize=64)
def _usual_head(code: int, names: tuple[str, ...]) -> Response:
    return Response(code, tuple([(name, "") for name in names]))


def _interaction(request: Any, response: Any, path: Path) -> Interaction:
    return read_foreign({"interactions": [{"request": _fields(request), "response": response}]}, path)[0]


def _request(request: Any, path: Path) -> Request:
    response = {"status": {"code": 200, "message": ""}, "headers": {}, "body": {"string": ""}}
    return _interaction(request, response, path).request


def _fields(request: Any) -> dict[str, Any]:
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    elif body is not None and not isinstance(body, str | bytes | bytearray):
        body = b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in body)
    return {"method": request.method, "uri": request.uri, "headers": dict(request.headers), "body": body}
