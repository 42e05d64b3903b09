from __future__ import annotations

from functools import wraps

import pytest

from replay_agent.recording.process.patching import Patch


class Base:
    def greet(self):
        return "hi"


class Heir(Base):
    pass


def louder(original):
    @wraps(original)
    def greet(self):
        return original(self) + "!"

    return greet


@pytest.mark.parametrize("owner", [Base, Heir])
def test_attribute_is_replaced_and_put_back_exactly(owner):
    before = dict(vars(owner))
    patch = Patch(owner, "greet", louder)
    patch.apply()
    assert owner().greet() == "hi!"
    patch.undo()
    assert dict(vars(owner)) == before


def test_replacement_of_others_stays():
    patch = Patch(Base, "greet", louder)
    patch.apply()
    ours = Base.greet
    Base.greet = lambda self: ours(self) + "?"
    try:
        patch.undo()
        assert Base().greet() == "hi!?"
    finally:
        Base.greet = ours
        patch.undo()
    assert Base().greet() == "hi"


def test_own_replacement_put_back_by_others_is_not_wrapped_again():
    patch = Patch(Base, "greet", louder)
    patch.apply()
    ours = Base.greet
    patch.undo()
    Base.greet = ours
    again = Patch(Base, "greet", louder)
    again.apply()
    assert Base().greet() == "hi!"
    again.undo()
    assert Base().greet() == "hi"


def test_undo_without_apply_does_nothing():
    Patch(Base, "greet", louder).undo()
    assert Base().greet() == "hi"
