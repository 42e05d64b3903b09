"""What the last run left open, and what becomes of it: accepted, rejected, undone."""

__all__ = "change", "effects", "judging", "plan", "price", "queue", "session", "terminal", "wording"
