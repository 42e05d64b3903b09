"""The agent and its run."""
