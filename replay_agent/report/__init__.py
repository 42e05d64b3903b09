"""Differences between runs, explained."""
