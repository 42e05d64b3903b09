"""What a client raises for a fault laid on a script is what it raises when a real socket does the same."""

from __future__ import annotations

import pytest

from replay_agent.provider.loopback import serving
from replay_agent.recording.clients import intercept
from tests.integration.fault_table import NAMES, OF_TOOLS, name_of, script_of
from tests.provider import fault_places
from tests.provider.sdks import SDKS

PLACES = ("refused", "dns", "tls", "connect_timeout")
SLOW = ("connect_timeout", "read_timeout", "slow_first_token", "stall")


def patience(name):
    """Return how many seconds a client waits: where it runs into its timeout in earnest, not long; else on a busy machine."""
    return 0.15 if name in SLOW else 10


def outcome_of(ask, **how):
    """Return the class of what a client raises, or what it gives."""
    try:
        return repr(ask(**how))
    except Exception as error:
        return name_of(error)


def for_real(ask, name, folder):
    script = script_of(name)
    if name in PLACES:
        place = getattr(fault_places, name)
        with place(folder) if name == "tls" else place() as base:
            return outcome_of(ask, tools=name in OF_TOOLS, timeout=patience(name), base=base)
    with serving(script.outcome) as base:
        return outcome_of(ask, tools=name in OF_TOOLS, timeout=patience(name), base=base)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("way", ["ask", "stream"])
@pytest.mark.parametrize("name", SDKS)
def test_a_client_raises_what_it_does_for_real(name, way, tmp_path):
    ask = getattr(SDKS[name], way)
    differing = {}
    for each in NAMES:
        script = script_of(each)
        with intercept.responding(script):
            got = outcome_of(ask, tools=each in OF_TOOLS, timeout=patience(each), base="http://127.0.0.1:9")
        real = for_real(ask, each, tmp_path)
        if got != real:
            differing[each] = (got, real)
    assert differing == {}
