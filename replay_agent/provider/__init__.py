"""The other end of the wire: scripted and edited answers, served in process or over HTTP."""

__all__ = "script", "server"
