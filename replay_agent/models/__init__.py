"""Models answer a call; every provider is a row in a table."""
