"""Which recorded interaction answers a request: keys, their index, headers that choose, fingerprints, hosts."""
