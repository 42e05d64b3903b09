from __future__ import annotations

import argparse
import os

import pytest

from replay_agent.cli.command import CommandParser, Formatter


def test_arguments_are_added_when_the_command_is_named():
    added = []

    def arguments(command: argparse.ArgumentParser) -> None:
        added.append(command.prog)
        command.add_argument("--far", action="store_true")

    program = argparse.ArgumentParser(prog="walk")
    commands = program.add_subparsers(parser_class=CommandParser)
    for name in ("there", "back"):
        commands.add_parser(name, help="somewhere", arguments=arguments)
    assert "somewhere" in program.format_help()
    assert added == []
    assert program.parse_args(["back", "--far"]).far
    assert added == ["walk back"]


@pytest.mark.parametrize("ask", [lambda p: p.format_help(), lambda p: p.prog, lambda p: p.parse_args([]), repr])
def test_whatever_is_asked_of_it_first_makes_it(ask):
    made = []
    parser = CommandParser(arguments=made.append, prog="walk")
    ask(parser)
    ask(parser)
    assert made == [parser]


def test_what_no_parser_has_it_has_neither():
    parser = CommandParser(prog="walk")
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = parser.nothing_of_the_kind
    assert parser.prog == "walk"


@pytest.mark.parametrize("columns", ["50", "120", "0", "wide", "", "-3"])
def test_help_is_as_wide_as_argparse_makes_it(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    _same_help()


@pytest.mark.parametrize("found", [os.terminal_size((61, 5)), os.terminal_size((0, 0)), OSError, ValueError])
def test_help_is_as_wide_as_the_terminal(monkeypatch, found):
    def size(*descriptors: int) -> os.terminal_size:
        if isinstance(found, os.terminal_size):
            return found
        raise found

    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("os.get_terminal_size", size)
    _same_help()


def test_help_has_a_width_where_there_is_no_stream_at_all(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)
    _same_help()


def _same_help() -> None:
    ours, plain = (
        argparse.ArgumentParser("walk", formatter_class=kind) for kind in (Formatter, argparse.HelpFormatter)
    )
    for parser in (ours, plain):
        parser.add_argument("--far", help="many words to say that it is far, " * 9)
    assert ours.format_help() == plain.format_help()
