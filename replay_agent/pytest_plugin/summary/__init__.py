"""What the terminal says at the end of a session."""
