"""Keeps secrets out of what is written. The doors are `redactor.Redactor` and `scanning.scan`."""

from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.recording.redaction.scanning import Finding, scan

__all__ = "Finding", "Redactor", "scan"
