"""The commands that settle into a project and say how it stands."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from replay_agent.cli.output import CLEAN, FINDINGS, say
from replay_agent.exceptions import UserError

__all__ = ("add",)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `init`, `doctor`, `schema` and `completion` to the command line."""
    init = commands.add_parser(
        "init",
        help="How do I begin? Adds the ini options, readable diffs in git and, if asked, a CI file; says each thing",
        epilog="What is there already is left alone, so that it may be run again.",
    )
    init.add_argument("--ci", choices=("github", "gitlab"), help="write a CI file too, with a nightly recording")
    init.add_argument("--git-config", action="store_true", help="tell this clone of git how to show cassettes")
    init.add_argument("--dry-run", action="store_true", help="change nothing, say what would be done")
    init.set_defaults(run=_init)

    doctor = commands.add_parser(
        "doctor", help="What is wrong here? Says versions, options, hooked clients, names of keys: for a bug report"
    )
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    doctor.set_defaults(run=_doctor)

    schema = commands.add_parser(
        "schema",
        help="Can my editor check a cassette? Prints the JSON Schema of the format",
        epilog="replay-agent schema > cassette.schema.json; what an editor is told then is in docs/cassettes.md",
    )
    schema.set_defaults(run=_schema)

    completion = commands.add_parser(
        "completion",
        help="Can the shell complete it? Prints what bash, zsh or fish is to read; with argcomplete, as pytest's own",
        epilog='bash and zsh: eval "$(replay-agent completion bash)"; fish: replay-agent completion fish | source',
    )
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
