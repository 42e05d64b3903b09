"""Commands that settle into a project and say how it stands."""

__all__ = ("arguments",)
