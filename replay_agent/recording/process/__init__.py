"""What is changed in the process while a test replays: imports, network, sleeps, clocks, certificates."""

__all__ = (
    "backoff",
    "forked",
    "frozen",
    "holders",
    "imports",
    "late_guard",
    "lazy_certificates",
    "listening",
    "loop_clock",
    "network",
    "patching",
    "session_mode",
    "spool",
)
