"""What every test of this repository may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
REAL_CASSETTES = Path(os.environ.get("REPLAY_AGENT_REAL_CASSETTES", ROOT.parent / "shared" / "real-cassettes"))

pytest_plugins = ["pytester"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def real_cassettes() -> Path:
    """The folder of cassettes recorded from real providers, which is not part of this repository."""
    if not (REAL_CASSETTES / "oracle.json").is_file():
        pytest.skip(f"no recordings of real providers at {REAL_CASSETTES}; set REPLAY_AGENT_REAL_CASSETTES")
    return REAL_CASSETTES
