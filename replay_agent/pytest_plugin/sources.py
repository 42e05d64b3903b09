"""What a test module or conftest says before it is imported: whether it uses our marks, which keys it asks for.

Read from its source. A key that a file asks for, to skip its live tests where there is none, must be missing while that
file is imported, whatever its other tests need.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path

__all__ = ("Source",)

_BY_NAME = frozenset({"usefixtures", "getfixturevalue", "applymarker", "add_marker", "getattr"})
"""Calls that are told a mark or a fixture by its name."""
_PROVIDER = "provider"
_SCRIPTING = frozenset({"add", "allow", "auto", "calls", "fault", "refuse", "reply", "url"})
"""What a script is asked for; another thing by the name of the fixture is hardly."""
_ASKING = frozenset({"all", "any", "bool", "skipif", "skip", "xfail"})
"""Calls that ask whether something is there."""


class Source:
    """A file of Python; one that is not there or makes no sense says nothing."""

    def __init__(self, path: Path) -> None:
        try:
            self._data = path.read_bytes()
        except OSError:
            self._data = b""

    def uses(self, marks: Collection[str]) -> bool:
        """Tell whether it uses one of the marks, or the fixture of that name."""
        return any(mark.encode() in self._data for mark in marks) and not self._used.isdisjoint(marks)

    @property
    def scripts_answers(self) -> bool:
        """Whether a test or fixture in it scripts what our fixture ``provider`` says, as far as can be seen: by its methods."""
        return _PROVIDER.encode() in self._data and any(map(_scripts, _functions(self._tree)))

    @property
    def has_a_provider(self) -> bool:
        """Whether it has something of its own by the name of that fixture: another fixture, a parameter of its tests."""
        return _PROVIDER.encode() in self._data and any(map(_is_another, ast.walk(self._tree)))

    def asked(self, variables: Collection[str]) -> frozenset[str]:
        """Return those of the variables that it asks for: it works without them."""
        return _asked(self._tree, variables)

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(_used(self._tree))

    @cached_property
    def _tree(self) -> ast.AST:
        try:
            return ast.parse(self._data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.Module([], [])  # what is wrong with it, its import will say


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}


def _scripts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return _PROVIDER in _arguments(function) and any(
        isinstance(node, ast.Attribute) and _last_name(node.value) == _PROVIDER and node.attr in _SCRIPTING
        for node in ast.walk(function)
    )


def _is_another(node: ast.AST) -> bool:
    """Tell whether this is what makes ``provider`` another thing; a fixture that takes ours may build on it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name == _PROVIDER and _PROVIDER not in _arguments(node)
    if not isinstance(node, ast.Call) or _last_name(node.func) not in ("parametrize", "fixture"):
        return False
    return any(_PROVIDER in text.replace(",", " ").split() for text in _texts(node))


def _used(tree: ast.AST) -> Iterator[str]:
    """Yield names of marks and fixtures: ``pytest.mark.x``, ``def test_it(x)``, ``usefixtures("x")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and "mark" in _last_name(node.value):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _arguments(node)
        elif isinstance(node, ast.Call) and _last_name(node.func) in _BY_NAME:
            yield from _texts(node)


def _asked(tree: ast.AST, variables: Collection[str]) -> frozenset[str]:
    """Return the variables that are in a question, or in what its names stand for."""
    held = dict(_named(tree))
    parts = [node for question in _questions(tree) for node in ast.walk(question)]
    spelled: set[object] = set()
    while parts:
        part = parts.pop()
        if isinstance(part, ast.Constant):
            spelled.add(part.value)
        elif isinstance(part, ast.Name) and part.id in held:
            parts += ast.walk(held.pop(part.id))
    return frozenset(variables) & spelled


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when the file is imported, or when pytest calls its hooks: not the bodies of other functions."""
    yield node
    inner: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("pytest_"):
        inner = (*node.decorator_list, node.args)
    for child in inner:
        yield from _at_import(child)


def _questions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in _at_import(tree):
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test):
                yield test
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield operand
            case ast.Compare() | ast.BoolOp():
                yield node
            case ast.comprehension(ifs=parts) | ast.Try(body=parts):
                yield from parts
            case ast.Call(func=function) if _last_name(function) in _ASKING:
                yield node


def _named(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield names and what they stand for: values of assignments, functions."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ):
                yield name, value
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node


def _texts(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
