"""The same work, done by others; each module but `airbyte` runs in an environment of its own."""
