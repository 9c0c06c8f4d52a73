"""Runs in an environment that has Airbyte's validator: its command line, with the outside world answered from here.

A few checks ask Airbyte's registry, its repository and Docker Hub. What those would say is written down below, so that
a verdict does not depend on the day; links of the documentation are followed nowhere. Every documentation check runs,
also those that a community connector is spared.
"""

import json
import sys
from importlib import import_module
from typing import Any

import requests

PUBLISHED = "0.4.4"
"""The version of the source that is to be replaced; the destination is new."""

SOURCE = {
    "sourceDefinitionId": "6c6d8b0c-db35-4cd1-a7de-0ca8b080f5ac",
    "dockerRepository": "airbyte/source-vitally",
    "dockerImageTag": PUBLISHED,
}
REGISTRY = json.dumps({"sources": [SOURCE], "destinations": []})
DOCKER_HUB = "https://registry.hub.docker.com/v2/repositories/airbyte"
BASE = {"4.1.0": "sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6"}
"""The base images that are known to exist: airbyte-cdk builds on this one."""

MONOREPO = "https://raw.githubusercontent.com/airbytehq/airbyte/master/airbyte-integrations/connectors"
ANSWERS = {
    "https://connectors.airbyte.com/files/registries/v0/oss_registry.json": REGISTRY,
    "https://connectors.airbyte.com/files/registries/v0/cloud_registry.json": REGISTRY,
    f"{MONOREPO}/source-vitally/metadata.yaml": f"data: {{dockerImageTag: {PUBLISHED}}}",
    f"{DOCKER_HUB}/source-vitally/tags?page_size=100": json.dumps(
        {"results": [{"name": name, "digest": "sha256:0"} for name in ("latest", PUBLISHED)]}
    ),
    **{
        f"{DOCKER_HUB}/python-connector-base/tags/{tag}": json.dumps({"digest": digest}) for tag, digest in BASE.items()
    },
}
UNKNOWN = (f"{DOCKER_HUB}/destination-vitally/", f"{MONOREPO}/destination-vitally/")


def answer(_: Any, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
    """Answer a request as the outside world would; what is not written down here is out of reach."""
    url = str(request.url)
    response = requests.Response()
    response.request, response.url = request, url
    if url in ANSWERS:
        response.status_code, response._content = 200, ANSWERS[url].encode()
    elif url.startswith(UNKNOWN):
        response.status_code, response._content = 404, b""
    else:
        raise requests.exceptions.ConnectionError(f"{url} is not asked here")
    return response


requests.adapters.HTTPAdapter.send = answer  # type: ignore[method-assign, assignment]
connectors = import_module("airbyte_ops_mcp.connector_ops.utils")
connectors.Connector.ab_internal_sl = 300
sys.argv[1:1] = ["local", "connector", "qa"]
import_module("airbyte_ops_mcp.cli.app").main()
