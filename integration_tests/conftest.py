"""Fixtures of every integration test."""

from integration_tests.sandbox.testing.fixtures import client, make_sandbox, sandbox

__all__ = ["client", "make_sandbox", "sandbox"]
