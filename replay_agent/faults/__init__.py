"""What can go wrong between a client and a model, laid on answers that are scripted or recorded: see docs/bad-days.md."""

from __future__ import annotations

from replay_agent.faults.catalogue import FAULTS, fault, faults_of
from replay_agent.faults.fault import Fault

__all__ = "FAULTS", "Fault", "fault", "faults_of"
