from __future__ import annotations

import importlib
import sys

import pytest

from replay_agent.recording.process.imports import ImportWatcher


@pytest.fixture
def arrivals(tmp_path, monkeypatch):
    (tmp_path / "to_come.py").write_text("VALUE = 1\nfrom to_come_too import OTHER\n")
    (tmp_path / "to_come_too.py").write_text("OTHER = 2\n")
    (tmp_path / "broken_to_come.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    finder = ImportWatcher(("to_come", "to_come_too", "broken_to_come", "never_to_come"), seen.append)
    finder.install()
    finder.seen = seen
    yield finder
    finder.uninstall()
    for name in ("to_come", "to_come_too"):
        sys.modules.pop(name, None)


def test_modules_are_announced_when_they_have_run(arrivals):
    module = importlib.import_module("to_come")
    assert [arrived.__name__ for arrived in arrivals.seen] == ["to_come_too", "to_come"]
    assert arrivals.seen[1] is module
    assert module.VALUE == 1


def test_module_keeps_its_own_loader(arrivals):
    module = importlib.import_module("to_come")
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert module.__spec__.loader is module.__loader__


def test_module_that_breaks_is_not_announced(arrivals):
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("broken_to_come")
    assert arrivals.seen == []


def test_missing_module_stays_missing(arrivals):
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("never_to_come")


def test_nothing_is_announced_after_the_end(arrivals):
    arrivals.uninstall()
    importlib.import_module("to_come")
    assert arrivals.seen == []
