"""Two sides of a project's cassettes, compared: what changed in what is asked, and what that did to the answers."""

__all__ = "budgets", "changes", "comparison", "forms", "limits", "result", "sources", "spending", "tally", "trials"
