"""Measures the tap against its peers and its targets: `python -m tests.benchmarks`."""
