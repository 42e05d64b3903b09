"""What surrounds tests that are recorded or replayed."""
