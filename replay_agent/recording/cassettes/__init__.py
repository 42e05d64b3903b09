"""Cassette files: reading, writing, merging, journals, other tools' layouts. The doors are `store.load` and `store.save`."""
