from __future__ import annotations

import sys
from types import ModuleType

import vcr.stubs
import vcr.stubs.httpx_stubs

from replay_agent.pytest_plugin.vcr.stub_modules import StubModules

REFUSAL = "CannotOverwriteExistingCassetteException"


def test_the_stubs_that_refuse_are_found():
    found = StubModules(REFUSAL).present()
    assert vcr.stubs in found
    assert vcr.stubs.httpx_stubs in found
    assert all(hasattr(module, REFUSAL) for module in found)


def test_one_that_comes_later_is_found_too(monkeypatch):
    stubs = StubModules("here")
    assert stubs.present() == []
    late = ModuleType("vcr.stubs.late")
    late.here = True
    monkeypatch.setitem(sys.modules, "vcr.stubs.late", late)
    assert stubs.present() == [late]


def test_one_that_was_made_absent_is_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "vcr.stubs.gone", None)
    assert StubModules("__name__").present().count(None) == 0
