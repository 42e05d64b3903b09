"""Scripted answers and faults in tests: fixtures, marks, verdicts."""
