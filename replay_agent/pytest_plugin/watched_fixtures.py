"""The fixtures of tests under watch: whose requests they make, and what becomes of a miss in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from replay_agent.harness import Run
from replay_agent.pytest_plugin.around.fixture_names import joined, label_among, owners_of, shared_fixtures
from replay_agent.pytest_plugin.failures import cleaning, explaining
from replay_agent.pytest_plugin.marks import TEST, is_served
from replay_agent.pytest_plugin.shared_fixture import SharedFixture

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.watched import WatchedTest
    from replay_agent.recording.recorder import Recording

__all__ = "WatchedFixtures", "shared_fixtures"

Fixture: TypeAlias = pytest.FixtureDef[Any]
Wrapper: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

EVENT_LOOP = "anyio_backend"
"""A parameter of which no recording depends: one serves every event loop."""


class WatchedFixtures:
    """Stands by when a fixture is set up, in a session that has tests under watch."""

    def __init__(self, *, since: float) -> None:
        self.item: pytest.Item | None = None
        """The test that is running."""
        self._since = since
        self._shared_now: list[SharedFixture] = []
        """Those that are set up, or were torn down after the test that is running."""
        self._users: dict[Fixture, list[pytest.Item]] = defaultdict(list)
        self._parameters: dict[str, dict[str, Callable[[], str]]] = {}
        """By fixture, the parameters that its present value depends on: its own, and those of what it asks for.

        What each is called takes a search for secrets, and is asked of those alone that a shared fixture depends on.
        """

    def collected(self, items: Iterable[pytest.Item]) -> None:
        """Note the tests that are to be replayed: what they share is recorded, even if another test needs it first."""
        for item in items:
            for fixture in shared_fixtures(item):
                self._users[fixture].append(item)

    def note_recorded(self, report: pytest.TestReport) -> None:
        """Add to the last report of a test what the fixtures recorded that were torn down after it."""
        for shared in [each for each in self._shared_now if each.is_closed]:
            self._shared_now.remove(shared)
            shared.note_recorded(report)

    def asks_nobody(self, fixture: Fixture, request: pytest.FixtureRequest) -> bool:
        """Note what a fixture that is about to be set up depends on, and tell whether there is nothing to surround."""
        if fixture.scope != "function":  # on one of a test alone, nothing that several share can depend
            self._note_parameters(fixture, request)
        module = getattr(fixture.func, "__module__", None)
        # pytest has the values of `parametrize` beside what calls `setup_class` and its like, which has no parameters.
        return module in _HARMLESS or (module == _OF_VALUES and hasattr(request, "param"))

    @contextmanager
    def setting_up(self, fixture: Fixture, request: pytest.FixtureRequest) -> Iterator[None]:
        """Surround the setup of a fixture. Its function and what finalizers it adds are wrapped meanwhile."""
        test = self.item.stash.get(TEST, None) if self.item is not None else None
        shared = self._shared(fixture, request, test)
        if shared is not None:
            otherwise = _recording_of(test)
            self._shared_now.append(shared)
            request.addfinalizer(shared.close)  # added first, called last
            with _wrapped(fixture, request, shared.explaining, shared.cleaning), shared.setting_up(otherwise):
                yield
        elif test is not None:
            keeper = test.keeper
            with _wrapped(fixture, request, lambda f: explaining(f, keeper), lambda f: cleaning(f, keeper)):
                yield
        else:
            yield

    def _shared(
        self, fixture: Fixture, request: pytest.FixtureRequest, test: WatchedTest | None
    ) -> SharedFixture | None:
        """Open the recording of a fixture that a test to be replayed shares with others; None for any other."""
        if fixture.scope == "function":
            return None
        item = self.item if test is not None else None
        if item is None or is_served(item) or (test is not None and test.is_scripted):
            item = next((user for user in self._users[fixture] if request.node in user.listchain()), None)
        owners = owners_of(fixture, item) if item is not None else []
        if item is None or not owners:
            return None
        labels = joined([label() for label in self._parameters[fixture.argname].values()])
        owners = [f"{owner}[{labels}]" if labels else owner for owner in owners]
        recording = _recording_of(test)
        frozen = recording.frozen if recording is not None else {}
        return SharedFixture.opened(owners, item, since=self._since, frozen=frozen)

    def _note_parameters(self, fixture: Fixture, request: pytest.FixtureRequest) -> None:
        name = fixture.argname
        found: dict[str, Callable[[], str]] = {}
        for arg in fixture.argnames:
            found.update(self._parameters.get(arg, {}))
        if name != EVENT_LOOP and hasattr(request, "param"):
            index = getattr(request, "param_index", 0)
            found[name] = partial(label_among, request.param, name, index, fixture.params)
        self._parameters[name] = found


_HARMLESS = frozenset(
    f"_pytest.{name}" for name in ("capture", "fixtures", "logging", "monkeypatch", "recwarn", "tmpdir")
)
"""Where pytest has fixtures that ask nobody for anything, as the parameters of a test; not those that call `setup_class`."""
_OF_VALUES = "_pytest.python"
"""Where pytest has the fixtures that do nothing but hand out a value of ``pytest.mark.parametrize``."""


def _recording_of(test: WatchedTest | None) -> Recording | None:
    """Return the recording of a test that is replayed; None for one that is vcrpy's, or answered from a script."""
    run = test.run if test is not None and not test.is_scripted else None
    return run.recording if isinstance(run, Run) else None


@contextmanager
def _wrapped(fixture: Fixture, request: pytest.FixtureRequest, explained: Wrapper, cleaned: Wrapper) -> Iterator[None]:
    """Wrap the function of a fixture for a block, and the finalizers that are added by way of its request."""
    original, add = fixture.func, request.addfinalizer
    # Added first, called last: what is put over the method here would keep the request, and with it the test's recording.
    add(partial(vars(request).pop, "addfinalizer", None))
    fixture.func = explained(original)  # type: ignore[misc]
    request.addfinalizer = lambda finalizer: add(cleaned(finalizer))  # type: ignore[method-assign]
    try:
        yield
    finally:
        fixture.func = original  # type: ignore[misc]
