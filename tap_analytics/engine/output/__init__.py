"""What leaves: Singer messages, and the report."""
