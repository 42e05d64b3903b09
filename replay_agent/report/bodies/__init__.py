"""Bodies of requests that are no call of a model: what differs from one to another."""
