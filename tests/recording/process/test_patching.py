from __future__ import annotations

import sys
from functools import wraps
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.process.patching import Patch, Standing


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
    hook = Patch(owner, "greet", louder)
    hook.apply()
    assert owner().greet() == "hi!"
    hook.undo()
    assert dict(vars(owner)) == before


def test_replacement_of_others_stays():
    hook = Patch(Base, "greet", louder)
    hook.apply()
    ours = Base.greet
    Base.greet = lambda self: ours(self) + "?"
    try:
        hook.undo()
        assert Base().greet() == "hi!?"
    finally:
        Base.greet = ours
        hook.undo()
    assert Base().greet() == "hi"


def test_own_replacement_put_back_by_others_is_not_wrapped_again():
    hook = Patch(Base, "greet", louder)
    hook.apply()
    ours = Base.greet
    hook.undo()
    Base.greet = ours
    again = Patch(Base, "greet", louder)
    again.apply()
    assert Base().greet() == "hi!"
    again.undo()
    assert Base().greet() == "hi"


def test_undo_without_apply_does_nothing():
    Patch(Base, "greet", louder).undo()
    assert Base().greet() == "hi"


def theirs(original):
    """Somebody else's wrapper, which copies what our replacement carries, as `functools.wraps` does."""

    @wraps(original)
    def greet(self):
        return f"({original(self)})"

    return greet


def untold(original):
    """Somebody else's wrapper that does not tell what it calls."""
    return lambda self: f"<{original(self)}>"


@pytest.fixture
def owner():
    return type("Owner", (), {"greet": Base.greet})


def test_wrapper_of_others_around_ours_keeps_us_in_the_chain(owner):
    hook = Patch(owner, "greet", louder)
    hook.apply()
    owner.greet = theirs(owner.greet)
    hook.apply()
    assert owner().greet() == "(hi!)"
    hook.undo()
    assert owner().greet() == "(hi!)"


def test_wrapper_of_others_with_a_copy_of_our_attributes_is_not_ours(owner):
    hook = Patch(owner, "greet", louder)
    hook.apply()
    copied = theirs(owner.greet)
    hook.undo()
    owner.greet = copied
    hook.apply()
    assert owner().greet() == "(hi!)"
    hook.undo()
    assert owner.greet is copied


@pytest.mark.parametrize("wrapper", [theirs, untold])
def test_wrapper_of_others_below_ours_is_called_and_put_back(owner, wrapper):
    owner.greet = wrapper(owner.greet)
    there = owner.greet
    hook = Patch(owner, "greet", louder)
    hook.apply()
    assert owner().greet() in ("(hi)!", "<hi>!")
    hook.undo()
    assert owner.greet is there


def test_replacement_that_others_took_away_comes_back(owner):
    original = owner.greet
    hook = Patch(owner, "greet", louder)
    hook.apply()
    owner.greet = theirs(original)
    hook.apply()
    assert owner().greet() == "(hi)!"
    owner.greet = original
    hook.apply()
    assert owner().greet() == "hi!"
    hook.undo()
    assert owner.greet is original


def test_older_replacement_put_back_by_others_is_taken_away(owner):
    original = owner.greet
    hook = Patch(owner, "greet", louder)
    hook.apply()
    older = owner.greet
    owner.greet = untold(original)
    hook.apply()
    owner.greet = older
    hook.undo()
    assert owner.greet is original


def test_patch_over_another_patch_gives_it_back(owner):
    first, second = Patch(owner, "greet", louder), Patch(owner, "greet", louder)
    original = owner.greet
    first.apply()
    ours = owner.greet
    second.apply()
    assert owner().greet() == "hi!"
    second.undo()
    assert owner.greet is ours
    first.undo()
    assert owner.greet is original


def test_patches_undone_in_the_order_of_their_making_leave_nothing(owner):
    first, second = Patch(owner, "greet", louder), Patch(owner, "greet", louder)
    original = owner.greet
    first.apply()
    second.apply()
    first.undo()
    second.undo()
    assert owner.greet is original


class Stranger:
    """Replaces an attribute as `mock.patch` does: puts back what it found, whatever is there by then."""

    def __init__(self, owner, wrapper):
        self.owner, self.wrapper, self.found = owner, wrapper, None

    def turn(self):
        if self.found is None:
            self.found = self.owner.greet
            self.owner.greet = self.wrapper(self.found)
        else:
            self.owner.greet, self.found = self.found, None


@given(st.lists(st.sampled_from(["apply", "undo", 0, 1, 2]), max_size=12))
def test_calls_come_to_us_whoever_comes_and_goes(steps):
    heard = []

    def hearing(original):
        @wraps(original)
        def greet(self):
            heard.append(1)
            return original(self)

        return greet

    owner = type("Owner", (), {"greet": Base.greet})
    strangers = [Stranger(owner, theirs), Stranger(owner, untold), Stranger(owner, lambda _: Base.greet)]
    hook = Patch(owner, "greet", hearing)
    for step in steps:
        strangers[step].turn() if isinstance(step, int) else getattr(hook, step)()
    hook.apply()
    assert "hi" in owner().greet()
    assert heard
    hook.undo()
    hook.apply()
    heard.clear()
    owner().greet()
    assert heard


@given(st.lists(st.sampled_from([0, 1, 2]), max_size=6), st.booleans())
def test_nothing_is_left_of_us_where_others_go_as_they_came(turns, again):
    owner = type("Owner", (), {"greet": Base.greet})
    strangers = [Stranger(owner, theirs), Stranger(owner, untold), Stranger(owner, lambda _: Base.greet)]
    hook = Patch(owner, "greet", louder)
    for turn in turns:
        if strangers[turn].found is None:
            strangers[turn].turn()
    before = owner.greet
    hook.apply()
    if again:
        hook.apply()
    hook.undo()
    assert owner.greet is before


def _standing(monkeypatch, *names):
    """Return what is noted of a module, and of two methods that are replaced."""
    module = ModuleType("a_module")
    monkeypatch.setitem(sys.modules, "a_module", module)
    owner = type("Owner", (), {"one": lambda self: 1, "two": lambda self: 2})
    patches = [Patch(owner, name, lambda original: lambda self: original(self)) for name in names]
    for change in patches:
        change.apply()
    standing = Standing(["a_module", "no_module"])
    standing.note(patches)
    return standing, owner, patches


def test_what_was_noted_stands(monkeypatch):
    standing, _, _ = _standing(monkeypatch, "one", "two")
    assert standing.stands


def test_nothing_stands_before_it_was_noted():
    assert not Standing([]).stands


@pytest.mark.parametrize(
    "change",
    [
        lambda owner, patches: setattr(owner, "two", lambda self: None),
        lambda owner, patches: delattr(owner, "one"),
        lambda owner, patches: patches[0].undo(),
        lambda owner, patches: sys.modules.__setitem__("a_module", ModuleType("a_module")),
        lambda owner, patches: sys.modules.pop("a_module"),
        lambda owner, patches: sys.modules.__setitem__("a_module", None),
    ],
)
def test_what_has_changed_does_not_stand(monkeypatch, change):
    standing, owner, patches = _standing(monkeypatch, "one", "two")
    change(owner, patches)
    assert not standing.stands


def test_a_module_that_has_come_is_looked_at(monkeypatch):
    standing, _, _ = _standing(monkeypatch, "one")
    monkeypatch.setitem(sys.modules, "no_module", ModuleType("no_module"))
    assert not standing.stands


def test_what_is_under_a_replacement_of_others_is_looked_at_each_time(monkeypatch):
    standing, owner, patches = _standing(monkeypatch, "one")
    ours = owner.one
    owner.one = wraps(ours)(lambda self: ours(self))
    standing.note(patches)
    assert not standing.stands


def test_what_is_forgotten_does_not_stand(monkeypatch):
    standing, _, _ = _standing(monkeypatch, "one")
    standing.forget()
    assert not standing.stands
