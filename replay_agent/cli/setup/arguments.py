"""The commands that settle into a project and say how it stands."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from replay_agent.cli.output import CLEAN, FINDINGS, say
from replay_agent.exceptions import UserError

__all__ = ("add",)


def add(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of `init`, `doctor`, `schema` and `completion`."""
    arguments: dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "init": _init_arguments,
        "doctor": _doctor_arguments,
        "schema": lambda schema: schema.set_defaults(run=_schema),
        "completion": _completion_arguments,
    }
    arguments[name](command)


def _init_arguments(init: argparse.ArgumentParser) -> None:
    init.add_argument("--ci", choices=("github", "gitlab"), help="write a CI file too, with a nightly recording")
    init.add_argument("--git-config", action="store_true", help="tell this clone of git how to show cassettes")
    init.add_argument("--dry-run", action="store_true", help="change nothing, say what would be done")
    init.set_defaults(run=_init)


def _doctor_arguments(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    doctor.set_defaults(run=_doctor)


def _completion_arguments(completion: argparse.ArgumentParser) -> None:
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(run=_completion)


def _init(args: argparse.Namespace) -> int:
    from replay_agent.cli.setup.init import init

    open_ends = False
    for done in init(Path(), ci=args.ci, tell_git=args.git_config, dry=args.dry_run):
        say(done)
        open_ends |= done.open
    return FINDINGS if open_ends else CLEAN


def _doctor(args: argparse.Namespace) -> int:
    from replay_agent.cli.setup.doctor import diagnose
    from replay_agent.pytest_plugin.diagnosis.session import look

    diagnosis = diagnose(look(Path()))
    say(json.dumps(diagnosis.json) if args.json else diagnosis)
    return FINDINGS if diagnosis.troubles else CLEAN


def _schema(args: argparse.Namespace) -> int:  # noqa: ARG001 - as all of them
    from replay_agent.cli.setup.cassette_schema import cassette_schema

    say(json.dumps(cassette_schema(), indent=2))
    return CLEAN


def _completion(args: argparse.Namespace) -> int:
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError as exc:
        raise UserError(
            "the shell asks argcomplete what to complete, and that is not installed. pip install "
            "'pytest-replay-agent[completion]', in the environment of the replay-agent that you type"
        ) from exc
    print(shellcode(["replay-agent"], shell=args.shell))
    return CLEAN
