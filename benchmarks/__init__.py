"""CPU time of replay beside its rivals, in one run: ``python -m benchmarks``."""
