"""A bucket of Amazon S3, or of a store that speaks its protocol."""

from __future__ import annotations

import os
import uuid
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError, ValidationError
from botocore.session import get_session

from destination_vitally.config import S3Storage
from destination_vitally.errors import ConfigError, OutageError

EXTERNAL_ID = "AWS_ASSUME_ROLE_EXTERNAL_ID"
"""The variable in which Airbyte Cloud says the external id that a role may ask for."""

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 10, 60, 5


class Bucket:
    """The place of rejected records and of the journal: below one path of a bucket."""

    def __init__(self, storage: S3Storage) -> None:
        self._storage = storage
        try:
            self._client = _client(storage)
        except Exception as error:  # a region or an address that cannot be one
            raise self._unfit(error) from None

    def put(self, key: str, body: bytes) -> None:
        """Store an object below the path; it is durable when this returns.

        Raises:
            ConfigError: the bucket, the keys or the rights are not as they should be.
            OutageError: the store cannot be reached.
        """
        self._try("put_object", Key=self._below(key), Body=body)

    def prove(self) -> None:
        """Store an object and take it away again; raises as `put`. That it may stay there is no mistake."""
        key = f"airbyte-check-{uuid.uuid4().hex}"
        self.put(key, b"")
        try:
            self._try("delete_object", Key=self._below(key))
        except ConfigError:  # whoever may only add objects may do all that a sync does
            return

    def _below(self, key: str) -> str:
        return f"{self._storage.bucket_path.strip('/')}/{key}".lstrip("/")

    def _try(self, call: str, **arguments: Any) -> None:
        name = self._storage.s3_bucket_name
        try:
            getattr(self._client, call)(Bucket=name, **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "no reason")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= 500:
                raise OutageError(
                    f"The store of rejected records and the journal fails ({code}, bucket '{name}'). Try again later."
                ) from None
            raise ConfigError(
                f"Rejected records and a journal cannot be kept in bucket '{name}' ({code}). In Rejected records "
                "(object_storage_config), check the bucket's name and region, the access key, and its right to put "
                "objects below Path (bucket_path)."
            ) from None
        except (NoCredentialsError, ParamValidationError, ValidationError) as error:
            raise self._unfit(error) from None
        except Exception as error:  # botocore raises what has no base in common, as for an answer that is no XML
            raise OutageError(
                f"Bucket '{name}' of rejected records and the journal cannot be reached ({type(error).__name__}). "
                "Check Endpoint (s3_endpoint) and Region (s3_bucket_region) in Rejected records "
                "(object_storage_config), and the network."
            ) from None

    def _unfit(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"Rejected records and a journal cannot be kept in bucket '{self._storage.s3_bucket_name}' "
            f"({type(error).__name__}). "
            "In Rejected records (object_storage_config), check Bucket (s3_bucket_name), Region (s3_bucket_region), "
            "Endpoint (s3_endpoint), Access key ID (access_key_id) and its secret."
        )


def _client(storage: S3Storage) -> Any:
    # Only Amazon serves every bucket under a name of its own.
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        s3={"addressing_style": "path"} if storage.s3_endpoint else {},
    )
    session = get_session()
    if storage.access_key_id:
        session.set_credentials(storage.access_key_id, storage.secret_access_key)
    if storage.role_arn:
        session = _in_a_role(session, storage, config)
    return boto3.Session(botocore_session=session, region_name=storage.s3_bucket_region).client(
        "s3", endpoint_url=storage.s3_endpoint, config=config
    )


def _in_a_role(session: Any, storage: S3Storage, config: Config) -> Any:
    """Return a session that acts in the role, and renews what that takes as long as a sync lasts."""

    def client(service: str, **given: Any) -> Any:
        given |= {"region_name": storage.s3_bucket_region, "endpoint_url": storage.s3_endpoint}
        return session.create_client(service, **given, config=config)

    external = os.environ.get(EXTERNAL_ID)
    asked = {"RoleSessionName": "destination-vitally", **({"ExternalId": external} if external else {})}
    fetcher = AssumeRoleCredentialFetcher(client, session.get_credentials(), storage.role_arn, extra_args=asked)
    within = get_session()
    # The one place where botocore keeps what a session acts by.
    within._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return within
