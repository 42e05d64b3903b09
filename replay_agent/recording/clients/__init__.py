"""Hooks into HTTP clients, a module each. The door is `intercept.install`."""
