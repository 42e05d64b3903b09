"""What is kept of a run: its answers in order, a journal of them at once, the cassette in the end."""
