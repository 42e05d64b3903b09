"""What the last run left open, and what becomes of it: accepted, rejected, undone."""
