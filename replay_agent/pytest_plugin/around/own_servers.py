"""Servers that tests start themselves: an app under test is to run, not to be replayed."""

from __future__ import annotations

import pytest

from replay_agent.recording.matching.hosts import host_of, is_loopback
from replay_agent.recording.process.listening import Listeners, serves
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Request

__all__ = "OWN_SERVERS", "OwnServers", "let_pass"


class OwnServers:
    """Tells which addresses belong to servers that were started since the session began, by a fixture or by a test.

    A stand-in for a provider is no app: what is at a model's address is recorded, whoever listens there.
    """

    def __init__(self, before: Listeners) -> None:
        self._before = before
        self._models: set[int] = set()
        """Ports at which a model was asked."""

    def __call__(self, request: Request) -> bool:
        """Tell whether a request goes through, neither recorded nor replayed."""
        host, port = host_of(request.url)
        if port is None or not is_loopback(host) or port in self._models or not serves(port, self._before, host):
            return False
        if _is_model(request):
            self._models.add(port)
            return False
        return True


OWN_SERVERS = pytest.StashKey[OwnServers]()
"""Those of this session."""


def let_pass(recording: Recording, config: pytest.Config) -> None:
    """Have requests to the tests' own servers go through, unless the options name the hosts to record."""
    if not recording.options.only_hosts:
        recording.passes = config.stash.get(OWN_SERVERS, None)


def _is_model(request: Request) -> bool:
    from replay_agent.wire.registry import codec_for, kind_of

    return codec_for(request) is not None or kind_of(request) is not None
