"""What comes out of a comparison, as values: differences, changed tests, sums, the whole."""
