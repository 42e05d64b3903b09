"""What several formats of providers write the same way."""
