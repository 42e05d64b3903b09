"""What a text is spelled or packed in, and where everything stood before it was undone."""
