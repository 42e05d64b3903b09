"""The version of this package, for those within it that name themselves: in cassettes, headers, telemetry."""

from __future__ import annotations

__all__ = ("__version__",)

__version__ = "0.1.0"
