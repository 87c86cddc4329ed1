"""What every stream shares: reading, checking, ordering, writing and remembering."""
