"""``python -m replay_agent`` is the command line."""

from __future__ import annotations

import sys

from replay_agent.cli import main

sys.exit(main())
