"""The parts of a cassette document: its header, and its items with their comments."""
