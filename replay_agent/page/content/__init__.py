"""What recordings and explanations become on a page: plain values of `replay_agent.page.report`."""
