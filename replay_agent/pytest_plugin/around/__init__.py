"""What surrounds tests that are recorded or replayed."""

__all__ = (
    "accepted_snapshots",
    "cassette_folders",
    "compared",
    "fixture_names",
    "nearest_mark",
    "open_changes",
    "own_servers",
    "planned",
    "siblings",
    "snapshot_differences",
    "uncollected",
    "unretrieved",
)
