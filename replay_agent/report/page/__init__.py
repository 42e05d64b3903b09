"""What people open in a browser: tests, cassettes and comparisons as one page that needs nothing else."""
