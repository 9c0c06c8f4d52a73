"""The facts of Vitally need neither connector nor the CDK."""

from __future__ import annotations

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys, vitally_api
for module in pkgutil.walk_packages(vitally_api.__path__, "vitally_api."):
    importlib.import_module(module.name)
print(*{name.split(".")[0] for name in sys.modules})
"""


def test_it_imports_no_connector_and_no_framework() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "vitally_api" in imported
    assert not imported & {"source_vitally", "destination_vitally", "airbyte_cdk", "requests", "pydantic", "jsonschema"}
