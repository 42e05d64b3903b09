"""Commands that keep the files of a project in order: cassettes, journals, snapshots."""

__all__ = ("arguments",)
