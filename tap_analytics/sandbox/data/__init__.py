"""Generating data: every row there could be, and what tests change about it."""
