"""How to record and replay: one frozen value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

from replay_agent.exceptions import UserError
from replay_agent.recording.matching.hosts import host_of, matches_host
from replay_agent.recording.process import frozen
from replay_agent.traffic import Request, Response

__all__ = (
    "BeforeRecordRequest",
    "BeforeRecordResponse",
    "BlockOptions",
    "BodyNormalizer",
    "MissStyle",
    "RecordMode",
    "RecordOptions",
)

MissStyle: TypeAlias = Literal["raise", "exception"]
BeforeRecordRequest: TypeAlias = Callable[[Request], Request | None]
BeforeRecordResponse: TypeAlias = Callable[[Response], Response | None]
BodyNormalizer: TypeAlias = Callable[[bytes], bytes]


class RecordMode(str, Enum):
    """What may go live and what becomes of the cassette."""

    NONE = "none"
    """Replay only."""
    ONCE = "once"
    """Record when there is no cassette, else replay only."""
    NEW_EPISODES = "new_episodes"
    """Replay what is recorded, record the rest."""
    ALL = "all"
    """Record everything anew; interactions of other tests stay in the file."""
    REWRITE = "rewrite"
    """Record everything anew; nothing of the old file stays."""
    REFRESH = "refresh"
    """Replay what is recorded, record the rest, drop what was not asked for."""

    def __str__(self) -> str:
        return self.value

    def permissions(self, found: bool) -> tuple[bool, bool]:
        """Return whether recorded answers are played and whether is recorded, with a cassette ``found`` or without one."""
        if self is RecordMode.ONCE:
            return found, not found
        plays = self in (RecordMode.NONE, RecordMode.NEW_EPISODES, RecordMode.REFRESH)
        return plays, self is not RecordMode.NONE

    @classmethod
    def parse(cls, value: str) -> RecordMode:
        """Return the mode of this name (`-` may stand for `_`). Raises `UserError` naming the modes."""
        text = value.value if isinstance(value, Enum) else value
        try:
            return cls(str(text).strip().lower().replace("-", "_"))
        except ValueError:
            modes = ", ".join(mode.value for mode in cls)
            raise UserError(f"There is no record mode {text!r}; the modes are {modes}") from None


@dataclass(frozen=True)
class RecordOptions:
    """Everything that decides how a recording behaves; the defaults replay and let nothing out."""

    record_mode: RecordMode = RecordMode.NONE
    ignore_body: tuple[str, ...] = ()
    """JSON paths whose values do not count when requests are compared."""
    ignore_hosts: tuple[str, ...] = ()
    """Hosts (``*`` allowed, ``host:port`` too) whose traffic is neither recorded nor replayed."""
    only_hosts: tuple[str, ...] = ()
    """If given, traffic of all other hosts is neither recorded nor replayed."""
    same_hosts: tuple[str, ...] = ()
    """Lines of hosts or base URLs, by blanks, that stand for each other when requests are compared."""
    match_headers: tuple[str, ...] = ()
    """Headers that must be equal too."""
    allow_repeats: bool = False
    """Answer a request made more often than recorded with its last answer again."""
    allow_unused: bool = False
    """Whether a test may leave recorded interactions unplayed."""
    freeze: tuple[str, ...] = ()
    """Sources that stand still, of ``clock``, ``uuid`` and ``random``."""
    redact: tuple[str, ...] = ()
    """Further field names or regular expressions to take out."""
    miss: MissStyle = "raise"
    """``"raise"`` for `CassetteMiss`, which nothing can swallow, ``"exception"`` for `CassetteMissError`, an ordinary one."""
    block_network: bool = True
    """Whether replay shuts the network."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that stay reachable while the network is shut."""
    transports: tuple[type, ...] = ()
    """Classes of httpx transports that are to be recorded too, such as ``httpx.ASGITransport`` or one's own."""
    paced: bool = False
    """Replay streams at the recorded pace instead of at once."""
    before_record_request: BeforeRecordRequest | None = None
    """May change the request as it is compared and stored; None leaves it live and unrecorded."""
    before_record_response: BeforeRecordResponse | None = None
    """May change a response before it is stored; None drops it. The client gets the true one; failures are not asked."""
    normalize: tuple[BodyNormalizer, ...] = ()
    """Applied to bodies, in order, before requests are compared."""

    journal_folder: Path | None = field(default=None, compare=False)
    """Where unfinished recordings wait for the next; None for the project's folder, found by the cassette."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "record_mode", RecordMode.parse(self.record_mode))
        for name in (
            "ignore_body",
            "ignore_hosts",
            "only_hosts",
            "same_hosts",
            "match_headers",
            "freeze",
            "redact",
            "allowed_hosts",
        ):
            object.__setattr__(self, name, _words(name, getattr(self, name)))
        frozen.check(self.freeze)
        if self.miss not in ("raise", "exception"):
            raise UserError(f"miss={self.miss!r}: it is either 'raise' or 'exception'")

    def wants(self, url: str) -> bool:
        """Tell whether traffic with this address is to be recorded and replayed, by its host."""
        if not self.ignore_hosts and not self.only_hosts:
            return True
        host, port = host_of(url)
        if matches_host(host, port, self.ignore_hosts):
            return False
        return not self.only_hosts or matches_host(host, port, self.only_hosts)


class BlockOptions(TypedDict, total=False):
    """The keyword arguments of `use_cassette`, which explains them: what a block decides of its `RecordOptions`."""

    miss: MissStyle
    ignore_body: tuple[str, ...]
    ignore_hosts: tuple[str, ...]
    only_hosts: tuple[str, ...]
    same_hosts: tuple[str, ...]
    match_headers: tuple[str, ...]
    allow_repeats: bool
    freeze: tuple[str, ...]
    redact: tuple[str, ...]
    block_network: bool
    allowed_hosts: tuple[str, ...]
    transports: tuple[type, ...]
    paced: bool
    before_record_request: BeforeRecordRequest | None
    before_record_response: BeforeRecordResponse | None
    normalize: tuple[BodyNormalizer, ...]


def _words(name: str, value: object) -> tuple[str, ...]:
    """Accept one string for a tuple of one, and say what is wrong with anything that holds no strings."""
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, (tuple, list, set, frozenset)) or not all(isinstance(word, str) for word in words):
        raise UserError(f"{name}={value!r}: strings are expected")
    return tuple(words)
