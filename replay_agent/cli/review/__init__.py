"""What the last run left open: listed, accepted, rejected, looked at one by one."""

__all__ = ("arguments",)
