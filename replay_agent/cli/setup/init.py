"""Settles into a project: options for pytest, readable diffs in git, a file for the continuous integration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from replay_agent.cli.project import cassette_folder
from replay_agent.cli.setup import git_attributes
from replay_agent.cli.setup.ci_file import INCLUDE, ci_file
from replay_agent.cli.setup.ini_file import SECTIONS, Addition, add_options, section_of
from replay_agent.exceptions import UserError

__all__ = "Done", "init", "project_root"

_SIGNS = (*SECTIONS, "setup.py", "conftest.py", ".git")
"""Files of which one is in the folder of a project."""


@dataclass(frozen=True)
class Done:
    """One thing that was done, would be, was there already, or is left to the user."""

    what: str
    open: bool = False
    """Whether it could not be done here: ``what`` says what to do."""

    def __str__(self) -> str:
        return self.what


def _no_repository(root: Path) -> UserError:
    return UserError(
        f"{root} is in no git repository, or git is not installed; a CI file belongs to one. Run `git init` first, or "
        "leave --ci out"
    )


def init(place: Path, *, ci: str | None = None, tell_git: bool = False, dry: bool = False) -> Iterator[Done]:
    """Do what is not done yet in the project of a folder, and tell of each thing; with ``dry`` nothing is changed.

    Raises `UserError` before anything is changed: outside a project, for an ini file that cannot be read, and where a
    CI file is asked for outside a repository.
    """
    root = project_root(place)
    top = git_attributes.top_of(root)
    if ci is not None and top is None:
        raise _no_repository(root)
    added = add_options(root)
    attributes = _attributes(root) if top is not None else None
    yield from _options(added, dry)
    if top is None or attributes is None:
        yield Done(".gitattributes: not written, this is no git repository")
    else:
        yield from _git(root, attributes, tell_git=tell_git, dry=dry)
    if ci is not None and top is not None:
        yield from _ci(ci, top, root, dry)


def project_root(place: Path) -> Path:
    """Return the folder of the project that a place is in. Raises `UserError` outside one.

    It is the nearest in which pytest finds its options, else the nearest with a file that projects have; beyond the
    folder of a repository nothing is looked for.
    """
    place = place.absolute()
    folders = list(_upwards(place))
    holding = (folder for folder in folders if _has_options(folder))
    signed = (folder for folder in folders if any((folder / name).exists() for name in _SIGNS))
    found = next(holding, None) or next(signed, None)
    if found is None:
        raise UserError(
            f"{place} is not in a project: there is none of {', '.join(_SIGNS)}, here or above. Go to the folder of your "
            "project, or make a pyproject.toml or a pytest.ini in this one"
        )
    return found


def _upwards(place: Path) -> Iterator[Path]:
    for folder in (place, *place.parents):
        yield folder
        if (folder / ".git").exists():
            return


def _has_options(folder: Path) -> bool:
    files = (folder / name for name in SECTIONS)
    return any(section_of(path) is not None for path in files if path.is_file())


def _attributes(root: Path) -> tuple[Path, str, str]:
    path = root / ".gitattributes"
    try:
        before = path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, ValueError) as exc:
        raise UserError(
            f"{path} cannot be read ({exc}). Nothing was changed: mend the file, then run this again"
        ) from exc
    return path, before, git_attributes.with_line(before, git_attributes.line_for(cassette_folder(root)))


def _options(added: Addition, dry: bool) -> Iterator[Done]:
    name = added.path.name
    if added.reason:
        yield Done(f"{name}: {added.reason}: left alone")
    elif added.after == added.before:
        lines = "".join(f"\n    {line}" for line in added.options.splitlines())
        yield Done(
            f"{name}: left alone, no line can be added to [{added.section}] as it is written there. Put these into it:{lines}",
            open=True,
        )
    else:
        _write(added.path, added.after, dry)
        lines = "".join(f"\n    {line}" for line in added.options.splitlines())
        yield Done(f"{name}: {_verb(dry, 'added')} to [{added.section}]{lines}")


def _git(root: Path, attributes: tuple[Path, str, str], *, tell_git: bool, dry: bool) -> Iterator[Done]:
    path, before, after = attributes
    line = git_attributes.line_for(cassette_folder(root))
    if after == before:
        yield Done(f".gitattributes: names diff={git_attributes.DRIVER} already: left alone")
    else:
        _write(path, after, dry)
        yield Done(f".gitattributes: {_verb(dry, 'added')}\n    {line}")
    if git_attributes.is_told(root):
        yield Done(f"git config: knows diff.{git_attributes.DRIVER}.textconv already: left alone")
    elif tell_git:
        if not dry:
            git_attributes.tell_git(root)
        yield Done(f"git config: {_verb(dry, 'ran')}, for this clone alone\n    {git_attributes.COMMAND}")
    else:
        yield Done(
            "git config: not touched. So that `git diff` shows conversations, everybody tells the own clone once, since git "
            f"takes no programs from a repository (--git-config does it here):\n    {git_attributes.COMMAND}"
        )


def _ci(kind: str, top: Path, root: Path, dry: bool) -> Iterator[Done]:
    path, text = ci_file(kind, top, root)
    name = path.relative_to(top).as_posix()
    if path.exists():
        yield Done(f"{name}: is there already: left alone")
    else:
        if not dry:
            path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, text, dry)
        yield Done(f"{name}: {_verb(dry, 'written')}. Look at the keys that the nightly recording needs")
    if path.parent.name == ".gitlab" and "replay-agent.yml" not in (top / ".gitlab-ci.yml").read_text(
        "utf-8", "replace"
    ):
        lines = "".join(f"\n    {line}" for line in INCLUDE.splitlines())
        yield Done(f".gitlab-ci.yml: left alone, it is yours. To run the jobs, add{lines}", open=True)


def _verb(dry: bool, done: str) -> str:
    return f"would be {done}" if dry and done != "ran" else "would run" if dry else done


def _write(path: Path, text: str, dry: bool) -> None:
    """Write a file where it is, also through a link. Raises `UserError` if that cannot be done."""
    if dry:
        return
    try:
        path.write_bytes(text.encode("utf-8"))
    except OSError as exc:
        raise UserError(
            f"{path} cannot be written ({exc.strerror}). What is named above is done; let it be written"
        ) from exc
