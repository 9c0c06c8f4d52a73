"""What docs/reliability.md promises, the tests that protect it, and the bugs that are planted against it."""
