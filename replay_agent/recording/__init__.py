"""Traffic in and out of cassettes, for any provider and any HTTP client."""
