"""A Vitally workspace on loopback: both APIs, true to what the vendor has published."""

from integration_tests.sandbox.clock import Clock
from integration_tests.sandbox.faults import Fault, Faults
from integration_tests.sandbox.limits import Limits
from integration_tests.sandbox.messages import Journal, Page, Request
from integration_tests.sandbox.server import Sandbox
from integration_tests.sandbox.switches import Switches
from integration_tests.sandbox.workspace import Workspace

__all__ = [
    "Clock",
    "Fault",
    "Faults",
    "Journal",
    "Limits",
    "Page",
    "Request",
    "Sandbox",
    "Switches",
    "Workspace",
]
