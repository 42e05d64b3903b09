"""What the fixtures of a project say of its tests marked `vcr`, and what stands where it says nothing."""

__all__ = "fixture_values", "vcr_object"
