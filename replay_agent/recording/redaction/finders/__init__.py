"""Find credentials in a text: by the names around them, by their shape."""
