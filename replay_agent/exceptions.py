"""Every error this package raises, in one tree.

::

    Exception
    ├── ModelRetry                      a tool or validator asks the model to try again
    ├── UserError (RuntimeError)        the agent was used wrongly
    │   └── CredentialMissing (ValueError)  a live call needs a key that is not set
    ├── AgentRunError (RuntimeError)    a run could not finish
    │   ├── UsageLimitExceeded
    │   ├── UnexpectedModelBehavior
    │   ├── ToolRetryError              a streamed result was refused, too late to retry (in agent/output.py)
    │   └── ModelHTTPError
    ├── FallbackExceptionGroup (ExceptionGroup)
    ├── WireError (ValueError)          a body that a codec cannot read
    ├── NetworkBlocked (RuntimeError)   a connection was refused because a replayed test is running
    └── CassetteError
        ├── CassetteNotFound (FileNotFoundError)
        ├── CassetteUnreadable          damaged, hostile or foreign in a way we cannot read
        │   └── CassetteVersionError
        ├── CassetteUnwritable (OSError)
        ├── CassetteUnreplayable
        ├── RecordingConflict           two recordings claim the same request
        └── CassetteMissError           a miss, where the caller asked for an ordinary exception

    BaseException
    └── CassetteMiss                    a request that the cassette cannot answer
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

from replay_agent.surroundings.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from replay_agent.traffic import Request

__all__ = (
    "AgentRunError",
    "CassetteError",
    "CassetteMiss",
    "CassetteMissError",
    "CassetteNotFound",
    "CassetteUnreadable",
    "CassetteUnreplayable",
    "CassetteUnwritable",
    "CassetteVersionError",
    "CredentialMissing",
    "FallbackExceptionGroup",
    "ModelHTTPError",
    "ModelRetry",
    "NetworkBlocked",
    "RecordingConflict",
    "UnexpectedModelBehavior",
    "UsageLimitExceeded",
    "UserError",
    "WireError",
)


_Error = TypeVar("_Error", bound=BaseException)


class _Portable:
    """An error that pickles and copies with all its evidence, whatever its class takes to be made.

    Python makes an error anew from its ``args`` alone, which fails for a class that takes more than a text: a process
    pool then breaks instead of passing the error on.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args), self.__dict__  # type: ignore[attr-defined]


def _restored(kind: type[_Error], args: tuple[object, ...]) -> _Error:
    error = kind.__new__(kind, *args)
    error.args = args  # which the class of an OSError leaves to its __init__
    return error


class ModelRetry(_Portable, Exception):
    """Raise it in a tool or result validator to hand ``message`` to the model and have it try again."""

    message: str

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class UserError(_Portable, RuntimeError):
    """The agent, a tool or a model was set up or called wrongly."""

    message: str

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class AgentRunError(_Portable, RuntimeError):
    """Base of the errors that end an agent run."""

    message: str

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        return self.message


class UsageLimitExceeded(AgentRunError):
    """A request or token limit of the run was passed."""


class UnexpectedModelBehavior(AgentRunError):
    """The model answered something the run cannot go on from; ``body`` is the answer where it helps."""

    body: str | None

    def __init__(self, message: str, body: str | None = None) -> None:
        self.body = _indented(body)
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message}, body:\n{self.body}" if self.body else self.message


def _indented(body: str | None) -> str | None:
    if body is None:
        return None
    import json  # by which a command that lists commands is not held up

    try:
        return json.dumps(json.loads(body), indent=2)
    except ValueError:
        return body


class ModelHTTPError(AgentRunError):
    """A provider answered with a status of 400 or above; ``body`` is its decoded answer."""

    status_code: int
    model_name: str
    body: object | None

    def __init__(self, status_code: int, model_name: str, body: object | None = None) -> None:
        self.status_code = status_code
        self.model_name = model_name
        self.body = body
        super().__init__(f"status_code: {status_code}, model_name: {model_name}, body: {body}")


class FallbackExceptionGroup(ExceptionGroup[Exception]):
    """What every model of a `FallbackModel` raised, in the order in which they were tried."""


class CredentialMissing(UserError, ValueError):
    """A live call needs a credential; ``variable`` names the environment variable that would hold it."""

    variable: str

    def __init__(self, message: str, variable: str) -> None:
        self.variable = variable
        super().__init__(message)


class WireError(_Portable, ValueError):
    """A body that its wire format's codec cannot read; ``format`` names the codec."""

    format: str

    def __init__(self, message: str, format: str) -> None:
        self.format = format
        super().__init__(visible(f"{format}: {message}"))


class NetworkBlocked(_Portable, RuntimeError):
    """A connection beyond loopback was attempted while the network is shut."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


class CassetteError(_Portable, Exception):
    """Base of the errors about cassette files; ``path`` is the file."""

    path: Path | None

    def __init__(self, message: str, path: Path | None = None) -> None:
        self.path = path
        super().__init__(visible(message))


class CassetteNotFound(CassetteError, FileNotFoundError):
    """A cassette must be replayed and is not there."""

    def __str__(self) -> str:
        return str(self.args[0])


class CassetteUnreadable(CassetteError):
    """A cassette file is damaged, hostile, or of a kind that cannot be read; it is left as it is."""

    in_conflict: bool = False
    """Whether it holds the marks of a merge conflict."""
    line: int | None = None
    """Where they begin, from 1."""


class CassetteVersionError(CassetteUnreadable):
    """A cassette was written in a format version that this release does not know."""


class CassetteUnwritable(CassetteError, OSError):
    """A cassette cannot be saved; what was there before is untouched."""

    def __str__(self) -> str:
        return str(self.args[0])


class CassetteUnreplayable(CassetteError):
    """A cassette was saved, but the requests of the very run that recorded it do not find their answers in it."""


class RecordingConflict(CassetteError):
    """A request outside any context could belong to two recordings that are open at once."""


class CassetteMissError(CassetteError):
    """A miss as an ordinary exception, for code that asked for it with ``miss="exception"``."""

    request: Request
    explanation: str

    def __init__(self, message: str, request: Request, path: Path | None = None) -> None:
        self.request = request
        self.explanation = message
        super().__init__(message, path)


class _Expectable(type):
    """Notes that somebody asked for a miss by its class, as ``pytest.raises`` and ``assertRaises`` do to let a block pass.

    ``suppress(BaseException)`` asks another class, and an ``except`` asks nobody. Python itself asks the class of an error
    for that very class when it raises one, so only one of a class derived from the one that is asked can be expected.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        found = super().__instancecheck__(instance)
        if found:
            instance.expected = True  # type: ignore[attr-defined]
        return found

    def __subclasscheck__(cls, subclass: type) -> bool:
        found = super().__subclasscheck__(subclass)
        raised = sys.exc_info()[1]
        if found and cls is not subclass and type(raised) is subclass:
            raised.expected = True  # type: ignore[union-attr]
        return found


class CassetteMiss(_Portable, BaseException, metaclass=_Expectable):
    """A request that the cassette cannot answer.

    Derives from ``BaseException``, as pytest's own ``Failed`` does, so that neither an SDK's retry loop nor an
    agent's ``except Exception`` can turn it into something else. Its text is the explanation; ``request`` is the
    live request (redacted) and ``path`` the cassette. ``explanation`` is the text as it was given.
    """

    request: Request
    path: Path | None
    explanation: str
    expected = False
    """Whether a test said by ``pytest.raises(CassetteMiss)`` or the like that it is right."""

    def __init__(self, message: str, request: Request, path: Path | None = None) -> None:
        self.request = request
        self.explanation = message
        self.path = path
        super().__init__(visible(message))
