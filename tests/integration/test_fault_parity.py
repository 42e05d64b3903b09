"""What a client raises for a fault on a script or on a recording is what it raises when a real socket does the same."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import contextmanager

import pytest

from replay_agent.provider.loopback import serving
from tests.integration.fault_table import OF_TOOLS, in_turn, script_of
from tests.integration.faulty import (
    PLACES,
    QUIET,
    Tape,
    hooks_held,  # noqa: F401 - a fixture
    on_loop,
    outcome_of,
    scripted,
)
from tests.provider import fault_places
from tests.provider.plain_clients import PLAIN
from tests.provider.sdks import SDKS

SLOW = ("connect_timeout", "read_timeout", "slow_first_token", "stall")


def patience(client, name):
    """Return how many seconds a client waits: where it runs into its timeout in earnest, not long; else on a busy machine."""
    lost = client == "tornado on asyncio" and name == "reset_in_body"  # which waits for its timeout then
    return 0.15 if name in SLOW or lost else 10


@contextmanager
def in_a_hurry():
    """Have clients try again at once, and not read the certificates of the machine: nothing is to be trusted here."""
    sleep = asyncio.sleep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", lambda _seconds: None)
        patch.setattr(asyncio, "sleep", lambda _seconds, *result: sleep(0, *result))
        for name in ("load_verify_locations", "load_default_certs"):
            patch.setattr(ssl.SSLContext, name, lambda *_args, **_kwargs: None)
        yield


def for_real(ask, name, folder, **how):
    with in_a_hurry():
        if name in PLACES:
            place = getattr(fault_places, name)
            with place(folder) if name == "tls" else place() as base:
                return outcome_of(ask, base=base, **how)
        with serving(script_of(name).outcome) as base:
            return outcome_of(ask, base=base, **how)


def differing(client, ask, folder, names):
    """Return the faults out of these of which a client says something else on a script, on a recording, and for real."""
    tape, found = Tape(ask, folder), {}
    for name in names:
        how = {"tools": name in OF_TOOLS, "timeout": patience(client, name)}
        on_script, on_recording = scripted(ask, name, **how), tape.replayed(name, **how)
        real = for_real(ask, name, folder, **how)
        if on_script != on_recording or on_script[0] != real:
            found[name] = (on_script, on_recording, real)
    return found


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_raises_what_it_does_for_real(name, way, tmp_path):
    assert differing(name, getattr(SDKS[name], way), tmp_path, in_turn(way == "stream", 2)) == {}


@QUIET
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("way", ["async_ask", "async_stream"])
@pytest.mark.parametrize("name", [name for name, sdk in SDKS.items() if sdk.async_ask])
def test_an_async_sdk_raises_what_it_does_for_real(name, way, backend, tmp_path):
    if backend == "trio" and not SDKS[name].trio:
        pytest.skip("its async client needs asyncio")
    names = in_turn(2 * (backend == "trio") + (way == "async_stream"), 4 if SDKS[name].trio else 2)
    assert differing(name, on_loop(getattr(SDKS[name], way), backend), tmp_path, names) == {}


@QUIET
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", PLAIN)
def test_a_client_that_knows_no_models_raises_what_it_does_for_real(name, way, tmp_path):
    assert differing(name, PLAIN[name][way], tmp_path, in_turn(way == "stream", 2)) == {}
