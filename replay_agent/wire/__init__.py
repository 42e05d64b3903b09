"""Provider wire formats: traffic to calls and answers and back, without any I/O."""

__all__ = "codec", "registry", "shapes"
