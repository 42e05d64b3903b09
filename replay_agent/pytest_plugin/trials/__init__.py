"""A session that a command has started to see how tests do once more: nothing of the project is written in it."""
