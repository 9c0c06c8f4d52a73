"""A store on loopback that speaks the protocol of S3, with one bucket."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import orjson
import requests
from moto.server import ThreadedMotoServer

from integration_tests.harness import Json

NAME = "acme-rejected"


class Store:
    """A store on loopback with one bucket, and nothing in it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)  # what it holds is kept by the process
        self.client = boto3.client(
            "s3",
            region_name="eu-central-1",
            endpoint_url=endpoint,
            aws_access_key_id="EXAMPLEKEYID",
            aws_secret_access_key="example/secret",
        )
        self.client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def settings(self, **changes: Any) -> Json:
        return {
            "storage_type": "S3",
            "s3_bucket_name": NAME,
            "s3_bucket_region": "eu-central-1",
            "bucket_path": "/airbyte/vitally/",
            "access_key_id": "EXAMPLEKEYID",
            "secret_access_key": "example/secret",
            "s3_endpoint": self.endpoint,
            **changes,
        }

    def lines(self) -> dict[str, list[Json]]:
        """The lines of all objects by the folder they are in."""
        found: dict[str, list[Json]] = {}
        for entry in self.client.list_objects_v2(Bucket=NAME).get("Contents", []):
            body = self.client.get_object(Bucket=NAME, Key=entry["Key"])["Body"].read()
            folder = entry["Key"].rsplit("/", 1)[0]
            found.setdefault(folder, []).extend(map(orjson.loads, gzip.decompress(body).splitlines()))
        return found

    def files(self) -> dict[str, bytes]:
        """What each object holds, by its key."""
        found = self.client.list_objects_v2(Bucket=NAME).get("Contents", [])
        keys = [entry["Key"] for entry in found]
        return {key: self.client.get_object(Bucket=NAME, Key=key)["Body"].read() for key in keys}


@contextmanager
def served_address() -> Iterator[str]:
    """Serve an empty store; its address."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        requests.post(f"{address}/moto-api/reset", timeout=10)
        yield address
    finally:
        server.stop()


@contextmanager
def served_store() -> Iterator[Store]:
    """Serve a store."""
    with served_address() as address:
        yield Store(address)
