"""Commands that answer what recordings say: one cassette, many, two of a kind."""
