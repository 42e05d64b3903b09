"""The commands that settle into a project and say how it stands."""

from __future__ import annotations

import argparse
from pathlib import Path

from replay_agent.cli.output import CLEAN, FINDINGS, say


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `init` to the command line."""
    init = commands.add_parser(
        "init",
        help="How do I begin? Adds the ini options, readable diffs in git and, if asked, a CI file; says each thing",
        epilog="What is there already is left alone, so that it may be run again.",
    )
    init.add_argument("--ci", choices=("github", "gitlab"), help="write a CI file too, with a nightly recording")
    init.add_argument("--git-config", action="store_true", help="tell this clone of git how to show cassettes")
    init.add_argument("--dry-run", action="store_true", help="change nothing, say what would be done")
    init.set_defaults(run=_init)


def _init(args: argparse.Namespace) -> int:
    from replay_agent.commands.setup.init import init

    open_ends = False
    for done in init(Path(), ci=args.ci, tell_git=args.git_config, dry=args.dry_run):
        say(done)
        open_ends |= done.open
    return FINDINGS if open_ends else CLEAN
