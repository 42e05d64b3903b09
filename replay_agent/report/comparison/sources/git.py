"""What git keeps of a project, read from its objects by the git program: nothing is checked out, fetched or written."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from sys import intern
from types import TracebackType

from replay_agent.exceptions import UserError

__all__ = "Objects", "Repository", "split_range"

_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
"""Nothing is written on the way (an index that is refreshed), nothing fetched (what a partial clone lacks), or asked."""
_NAME = re.compile(rb"[^\0]+")
_FILE_MODES = ("100644", "100755", "100664")


def split_range(text: str) -> tuple[str, str, bool] | None:
    """Take ``old..new`` or ``old...new`` apart, HEAD standing where nothing does; None for any other text.

    The last value says whether the old side is where both parted.
    """
    for dots in ("...", ".."):
        before, found, after = text.partition(dots)
        if found and not before.endswith("/") and not after.startswith("/"):
            return before or "HEAD", after or "HEAD", dots == "..."
    return None


@dataclass(frozen=True)
class Repository:
    """A git repository, seen from a folder in it."""

    folder: Path
    prefix: str
    """The folder, seen from the top of the repository: empty, or a path that ends with a slash."""

    @classmethod
    def around(cls, folder: Path) -> Repository | None:
        """Return the repository that a folder is in, None if it is in none. Raises `UserError` without a git program."""
        done = _run(folder, "rev-parse", "--show-prefix")
        if done.returncode == 0:
            return cls(folder, _line(done.stdout))
        said = _line(done.stderr)
        if "not a git repository" in said:
            return None
        raise UserError(f"git cannot read the repository around {folder.resolve()}: {said}")

    def commit(self, revision: str) -> str | None:
        """Return the commit that a revision names, None if there is none of that name."""
        if not revision or revision.startswith("-"):
            return None
        done = _run(self.folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return _line(done.stdout) if done.returncode == 0 else None

    def parted(self, one: str, other: str) -> str | None:
        """Return the commit at which two parted, None where no common one is known."""
        done = _run(self.folder, "merge-base", one, other)
        return _line(done.stdout) if done.returncode == 0 else None

    @property
    def is_shallow(self) -> bool:
        """Whether older commits were left out when it was cloned."""
        return _line(_run(self.folder, "rev-parse", "--is-shallow-repository").stdout) == "true"

    def files(self, commit: str, below: str = "") -> dict[str, str]:
        """Return the ids of all files in a commit by their paths, seen from ``below``, itself seen from the folder."""
        place = f"{self.prefix}{below}"
        done = _run(self.folder, "ls-tree", "-r", "-z", "--full-tree", commit, *([place] if place else []))
        if done.returncode:
            raise UserError(f"git cannot list the files of {commit}: {_line(done.stderr)}")
        return dict(_listed(done.stdout, place))

    def present(self) -> list[str]:
        """Return the paths of the files in the work tree, below the folder: those that git knows or would add."""
        done = _run(self.folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if done.returncode:
            raise UserError(f"git cannot list the files of {self.folder.resolve()}: {_line(done.stderr)}")
        return list(dict.fromkeys(intern(os.fsdecode(name)) for name in _names(done.stdout)))


def _names(output: bytes) -> Iterator[bytes]:
    """Yield what git has ended with a zero each, one at a time: a project may have a hundred thousand files."""
    return (found[0] for found in _NAME.finditer(output))


def _listed(output: bytes, place: str) -> Iterator[tuple[str, str]]:
    for entry in _names(output):
        head, _, name = entry.partition(b"\t")
        mode, _, rest = head.decode("ascii").partition(" ")
        if mode in _FILE_MODES:
            path = os.fsdecode(name)
            # Two sides name nearly the same files and contents: of ten thousand, each name is kept once.
            yield intern(path.removeprefix(place).lstrip("/") or PurePosixPath(path).name), intern(rest.split()[1])


def _line(output: bytes) -> str:
    return os.fsdecode(output).strip().partition("\n")[0]


def _environment() -> Mapping[str, str]:
    return {**os.environ, **_QUIET}


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - the program is git, no shell reads the arguments
            ["git", "--literal-pathspecs", *arguments],  # noqa: S607 - whichever git the user has
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as exc:
        raise UserError(
            f"A revision is read by the program git, which is not installed, or not on the PATH: {exc.strerror}. "
            "Two files or folders are compared without it."
        ) from exc


@dataclass
class Objects:
    """The contents of a repository's files by their ids, read one at a time from a git program that stays open."""

    repository: Repository
    _program: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Objects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program."""
        program, self._program = self._program, None
        if program is not None:
            program.communicate()

    def read(self, name: str) -> bytes | None:
        """Return the content of an object, None if it is not there, as in a clone that left it out."""
        program = self._program = self._program or self._started()
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            program.stdin.write(f"{name}\n".encode("ascii"))
            program.stdin.flush()
            head = program.stdout.readline().split()
        except BrokenPipeError:
            return None
        if len(head) != 3:
            return None
        size = int(head[2])
        data = program.stdout.read(size)
        program.stdout.read(1)
        return data if len(data) == size else None

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", "cat-file", "--batch"],  # noqa: S607 - whichever git the user has
            cwd=self.repository.folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
