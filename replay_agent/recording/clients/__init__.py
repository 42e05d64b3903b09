"""Hooks into HTTP clients, a module each. The door is `intercept.install`."""

__all__ = "installed", "intercept", "named_transports"
