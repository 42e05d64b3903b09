"""No waiting in replay: the sleep of an SDK or retry library after a replayed refusal or failure is skipped.

The answers and their headers stay as they are; a test's own sleeps, and its stand-ins for ``sleep``, are left alone.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextvars import ContextVar
from functools import wraps
from operator import itemgetter
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import ref

from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Outcome, Response

if TYPE_CHECKING:
    import asyncio

__all__ = "PendingSleep", "disarm", "note", "pending_sleep"

_RETRYING_MODULES = frozenset(
    {
        "aiohttp_retry",
        "anthropic",
        "azure",
        "backoff",
        "botocore",
        "cohere",
        "dspy",
        "google.api_core",
        "google.auth",
        "google.cloud",
        "google.genai",
        "groq",
        "httpx_retries",
        "huggingface_hub",
        "instructor",
        "langchain_core",
        "langchain_google_genai",
        "langchain_openai",
        "litellm",
        "llama_index",
        "lm15",
        "mistralai",
        "ollama",
        "openai",
        "pydantic_ai",
        "replicate",
        "requests_toolbelt",
        "retry",
        "retrying",
        "s3transfer",
        "stamina",
        "tenacity",
        "together",
        "urllib3",
    }
)
"""Modules whose own sleep after a failed request is back-off."""

# What may stand between a library and its sleep: wrappers, context managers, event loops, and ourselves.
_PLUMBING = frozenset({"anyio", "asyncio", "contextlib", "functools", "replay_agent.recording", "trio"})
_INSTALLED = "site-packages", "dist-packages"


class PendingSleep:
    """The one sleep that may be skipped after a request of this thread or task was refused in replay."""

    __slots__ = ("_armed", "_task", "pending")

    def __init__(self) -> None:
        self.pending = False
        self._task = _task()
        self._armed: object = None

    def note(self, outcome: Outcome) -> None:
        """Take what a client is about to be told."""
        self.pending = not isinstance(outcome, Response) or _is_refusal(outcome)
        if self.pending:
            _arm()
            self._armed = _patches[0] if _patches else None
            _pending().append(self)

    @property
    def is_due(self) -> bool:
        """Whether it may be skipped: it is pending since the sleeps were last replaced."""
        return self.pending and bool(_patches) and self._armed is _patches[0]

    @property
    def outlived_its_task(self) -> bool:
        """Whether the task that made the request is over, so that the sleeper must be one that waited for it."""
        task = self._task() if self._task else None
        return self._task is not None and (task is None or task.done())


_RETRY_AFTER = "retry-after"
_LENGTH = len(_RETRY_AFTER)
_NAME = itemgetter(0)

_current: ContextVar[PendingSleep | None] = ContextVar("replay_agent_pending_sleep", default=None)
_by_thread = threading.local()
_patches: list[Patch] = []
_lock = threading.Lock()
_SLEEPERS = "time", "asyncio", "anyio", "trio"


def pending_sleep() -> PendingSleep:
    """Return what holds the sleep after the request that this context is about to make."""
    sleep = PendingSleep()
    _current.set(sleep)
    return sleep


def note(outcome: Outcome) -> None:
    """Note what this context is about to be told in answer to its request."""
    if _patches or not isinstance(outcome, Response) or _is_refusal(outcome):
        pending_sleep().note(outcome)


def disarm() -> None:
    """Put every ``sleep`` back."""
    with _lock:
        while _patches:
            _patches.pop().undo()


def _is_refusal(response: Response) -> bool:
    if response.status >= 400:
        return True
    # By length first: it is asked of every answer, and hardly one has that header.
    names = list(map(_NAME, response.headers))
    return _LENGTH in map(len, names) and _RETRY_AFTER in map(str.lower, names)


def _task() -> ref[asyncio.Task[Any]] | None:
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio is not None else None
    except RuntimeError:
        return None
    return ref(task) if task else None


def _pending() -> deque[PendingSleep]:
    sleeps: deque[PendingSleep] | None = getattr(_by_thread, "sleeps", None)
    if sleeps is None:
        # More than a thread's tasks ever back off from at once; those of tasks that never sleep fall out at the other end.
        sleeps = _by_thread.sleeps = deque(maxlen=64)
    return sleeps


def _arm() -> None:
    with _lock:
        if _patches:
            return
        for name in _SLEEPERS:
            module = sys.modules.get(name)
            if module is None or not _is_own(module, name):
                continue  # not imported, or a test's stand-in
            patch = Patch(module, "sleep", _skipping if name == "time" else _async_skipping)
            patch.apply()
            _patches.append(patch)


def _is_own(module: ModuleType, name: str) -> bool:
    return str(module.sleep.__module__).partition(".")[0] == name


def _skipping(original: Any) -> Any:
    @wraps(original)
    def sleep(seconds: Any) -> None:
        if not _is_due(_caller(1)):
            original(seconds)

    return sleep


def _async_skipping(original: Any) -> Any:
    @wraps(original)
    async def sleep(delay: Any, *args: Any, **kwargs: Any) -> Any:
        # A sleep of 0 still lets others run.
        return await original(0 if _is_due(_caller(1)) else delay, *args, **kwargs)

    return sleep


def _caller(depth: int) -> FrameType:
    return sys._getframe(depth + 1)  # noqa: SLF001 - inspect.currentframe looks at nothing but the nearest


def _is_due(frame: FrameType | None) -> bool:
    """Tell whether the caller is backing off from a replayed answer, and take its sleep as skipped."""
    sleep = _current.get()
    if sleep is None or not sleep.is_due:
        sleep = next((other for other in _pending() if other.is_due and other.outlived_its_task), None)
    if sleep is None or not _is_retrying(frame):
        return False
    sleep.pending = False
    return True


def _is_retrying(frame: FrameType | None) -> bool:
    """Tell whether the first caller that is no mere plumbing is an installed library of the table."""
    while frame is not None:
        package, _, rest = frame.f_globals.get("__name__", "").partition(".")
        names = {package, f"{package}.{rest.partition('.')[0]}"}
        if not names & _PLUMBING:
            return bool(names & _RETRYING_MODULES) and any(place in frame.f_code.co_filename for place in _INSTALLED)
        frame = frame.f_back
    return False
