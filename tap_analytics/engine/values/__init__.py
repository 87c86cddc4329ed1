"""What single values become on their way from the API to the target."""
