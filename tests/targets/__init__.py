"""The same rows into every target that people use, and what becomes of them there."""
