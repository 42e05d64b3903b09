"""Cassette files: reading, writing, merging, journals, other tools' layouts. The doors are `store.load` and `store.save`."""

__all__ = (
    "document",
    "dumped_yaml",
    "foreign",
    "items",
    "journal",
    "json_spelling",
    "lazy_interactions",
    "parts",
    "store",
)
