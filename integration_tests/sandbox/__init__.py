"""A Vitally workspace on loopback: both APIs, true to what the vendor has published.

Its rooms, each of which imports only from those before it: `wire` (messages, time, limits, faults, switches),
`resources` (what the API offers, as data), `data` (the rows), `rest` and `analytics` (the two APIs), `seed` (what a
new workspace holds), the server, and `testing` (what tests need besides). Others import from this face.
"""

from integration_tests.sandbox.data.merging import merge
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.server import Sandbox
from integration_tests.sandbox.wire.clock import Clock, iso
from integration_tests.sandbox.wire.faults import Fault, Faults
from integration_tests.sandbox.wire.limits import Dialect, Limits
from integration_tests.sandbox.wire.makers import Maker
from integration_tests.sandbox.wire.messages import (
    CUT_EMOJI,
    LONG_INTEGER,
    NOT_A_NUMBER,
    TOO_LARGE,
    Journal,
    Page,
    Reply,
    Request,
    Row,
)
from integration_tests.sandbox.wire.switches import Switches

__all__ = [
    "CUT_EMOJI",
    "LONG_INTEGER",
    "NOT_A_NUMBER",
    "TOO_LARGE",
    "Clock",
    "Dialect",
    "Fault",
    "Faults",
    "Journal",
    "Limits",
    "Maker",
    "Page",
    "Reply",
    "Request",
    "Row",
    "Sandbox",
    "Switches",
    "Workspace",
    "iso",
    "merge",
]
