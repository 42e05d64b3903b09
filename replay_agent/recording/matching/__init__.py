"""Which recorded interaction answers a request: keys, their index, fingerprints, hosts."""
