"""What tests need of vcrpy that older versions of it lack: on these, all of it runs as it stands."""

from __future__ import annotations

import pytest
from vcr.cassette import Cassette

from replay_agent.pytest_plugin.vcr.hastened import IS_KNOWN

on_known_vcrpy = pytest.mark.skipif(
    not IS_KNOWN, reason="this vcrpy is older than our shorter ways, and runs as it stands"
)
on_vcrpy_that_names_its_file = pytest.mark.skipif(not hasattr(Cassette, "path"), reason="this vcrpy names no file")
