"""Bugs that are planted against the promises of docs/reliability.md, and the tests that have to find them."""
