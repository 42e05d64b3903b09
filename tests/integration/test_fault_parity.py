"""What a client raises for a fault on a script or on a recording is what it raises when a real socket does the same."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from functools import partial

import anyio
import pytest

from replay_agent import use_cassette
from replay_agent.provider.loopback import serving
from replay_agent.recording.clients import intercept
from tests.integration.fault_table import NAMES, OF_TOOLS, healthy_script, name_of, script_of
from tests.provider import fault_places
from tests.provider.plain_clients import PLAIN
from tests.provider.sdks import SDKS

PLACES = ("refused", "dns", "tls", "connect_timeout")
SLOW = ("connect_timeout", "read_timeout", "slow_first_token", "stall")
BASE = "http://127.0.0.1:9"
"""Where nobody listens."""


def patience(client, name):
    """Return how many seconds a client waits: where it runs into its timeout in earnest, not long; else on a busy machine."""
    lost = client == "tornado" and name == "reset_in_body"  # which waits for its timeout then
    return 0.15 if name in SLOW or lost else 10


def outcome_of(ask, **how):
    """Return the class of what a client raises, or what it gives."""
    try:
        return repr(ask(**how))
    except Exception as error:
        return name_of(error)


def scripted(ask, name, **how):
    """Return what a client says of a fault on a script, and whether that has struck nothing."""
    script = script_of(name)
    with intercept.responding(script):
        return outcome_of(ask, base=BASE, **how), bool(script.unstruck_text())


class Tape:
    """Recordings of one client: of a text, and of a tool call."""

    def __init__(self, ask, folder):
        self._ask = ask
        self._folder = folder

    def _recorded(self, name):
        path = self._folder / f"{'call' if name in OF_TOOLS else 'text'}.yaml"
        if not path.exists():
            with intercept.responding(healthy_script(name)), use_cassette(path, "once"):
                self._ask(base=BASE, tools=name in OF_TOOLS, timeout=10)
        return path

    def replayed(self, name, **how):
        """Return what the client says of a fault on its recording, and whether that has struck nothing."""
        with use_cassette(self._recorded(name), allow_repeats=True) as recording:
            recording.fault(name)
            got = outcome_of(self._ask, base=BASE, **how)
            return got, bool(recording.unstruck_text())


@contextmanager
def without_certificates():
    """Leave the certificates of the machine unread, which takes a client most of its time; nothing is to be trusted here."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_verify_locations", "load_default_certs"):
            patch.setattr(ssl.SSLContext, name, lambda *_args, **_kwargs: None)
        yield


def for_real(ask, name, folder, **how):
    with without_certificates():
        if name in PLACES:
            place = getattr(fault_places, name)
            with place(folder) if name == "tls" else place() as base:
                return outcome_of(ask, base=base, **how)
        with serving(script_of(name).outcome) as base:
            return outcome_of(ask, base=base, **how)


def differing(client, ask, folder):
    """Return the faults of which a client says something else on a script, on a recording, and for real."""
    tape, found = Tape(ask, folder), {}
    for name in NAMES:
        how = {"tools": name in OF_TOOLS, "timeout": patience(client, name)}
        on_script, on_recording = scripted(ask, name, **how), tape.replayed(name, **how)
        real = for_real(ask, name, folder, **how)
        if on_script != on_recording or on_script[0] != real:
            found[name] = (on_script, on_recording, real)
    return found


def on_loop(ask, backend):
    """Return a function that asks and waits for the answer."""
    return lambda **how: anyio.run(partial(ask, **how), backend=backend)


QUIET = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"
)


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_raises_what_it_does_for_real(name, way, tmp_path):
    assert differing(name, getattr(SDKS[name], way), tmp_path) == {}


@QUIET
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("way", ["async_ask", "async_stream"])
@pytest.mark.parametrize("name", [name for name, sdk in SDKS.items() if sdk.async_ask])
def test_an_async_sdk_raises_what_it_does_for_real(name, way, backend, tmp_path):
    if backend == "trio" and not SDKS[name].trio:
        pytest.skip("its async client needs asyncio")
    assert differing(name, on_loop(getattr(SDKS[name], way), backend), tmp_path) == {}


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", PLAIN)
def test_a_client_that_knows_no_models_raises_what_it_does_for_real(name, way, tmp_path):
    assert differing(name, PLAIN[name][way], tmp_path) == {}
