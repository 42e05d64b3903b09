"""Where a page comes from that is none of a session: cassettes, a comparison, a matrix."""
