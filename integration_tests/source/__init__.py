"""The source, end to end against the sandbox."""
