"""What recordings and explanations become on a page: plain values of `replay_agent.report.page.report`."""

__all__ = "drifts", "entries", "words"
