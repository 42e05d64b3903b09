"""One client and one fault: on a script, on a recording of that client, and what comes of it as plain text."""

from __future__ import annotations

from functools import partial

import anyio
import pytest

from replay_agent import use_cassette
from replay_agent.recording.clients import intercept
from tests.integration.fault_table import OF_TOOLS, healthy_script, name_of, script_of

PLACES = ("refused", "dns", "tls", "connect_timeout")
"""Faults of where a client connects to: they are there when it tries again, too."""
BASE = "http://127.0.0.1:9"
"""Where nobody listens."""


QUIET = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"
)
"""Of the clients' own: generators that trio finds unfinished, and a class of aiohttp that should have no heirs."""


@pytest.fixture(autouse=True, scope="module")
def hooks_held():
    """Leave the hooks in place from one run to the next, as a session of pytest does: certificates stay unread so long."""
    intercept.install()
    yield
    intercept.uninstall()


def times(name):
    """Return how often a fault strikes."""
    return None if name in PLACES else 1


def outcome_of(ask, **how):
    """Return the class of what a client raises, or what it gives."""
    try:
        return repr(ask(**how))
    except Exception as error:
        return name_of(error)


def scripted(ask, name, **how):
    """Return what a client says of a fault on a script, and whether that has struck nothing."""
    script = script_of(name, times=times(name))
    with intercept.responding(script):
        return outcome_of(ask, base=BASE, **how), bool(script.unstruck_text())


class Tape:
    """Recordings of one client: of a text, and of a tool call."""

    def __init__(self, ask, folder):
        self._ask = ask
        self._folder = folder

    def recorded(self, name):
        """Return the recording of an answer that a fault can befall; made when it is first asked for."""
        path = self._folder / f"{'call' if name in OF_TOOLS else 'text'}.yaml"
        if not path.exists():
            with intercept.responding(healthy_script(name)), use_cassette(path, "once"):
                self._ask(base=BASE, tools=name in OF_TOOLS, timeout=10)
        return path

    def replayed(self, name, **how):
        """Return what the client says of a fault on its recording, and whether that has struck nothing."""
        with use_cassette(self.recorded(name), allow_repeats=True) as recording:
            recording.fault(name, times=times(name))
            return outcome_of(self._ask, base=BASE, **how), bool(recording.unstruck_text())


def on_loop(ask, backend, **options):
    """Return a function that asks and waits for the answer; ``options`` are the event loop's."""
    return lambda **how: anyio.run(partial(ask, **how), backend=backend, backend_options=options)
