"""What a text is spelled or packed in, and where everything stood before it was undone."""

__all__ = "archives", "containers", "escapes", "in_base64", "in_digits", "in_streams", "runs"
