"""What is changed in the process while a test replays: imports, network, sleeps, clocks, certificates."""
