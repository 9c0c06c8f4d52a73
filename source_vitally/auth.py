"""How a request of the source shows its key, and what keeps that out of every output."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from airbyte_cdk.sources.types import Config
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets

from vitally_api import masking
from vitally_api.keys import rest_authorization


def make_known(config: Any = None) -> None:
    """Make the secrets of a configuration, whatever its shape, and of the environment's proxies known."""
    masking.make_known(config, update_secrets)


@dataclass
class RestKeyAuthenticator(DeclarativeAuthenticator):
    """Sends the REST key, in whichever spelling it was given, as the `Authorization` header that Vitally takes."""

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        key = str(self.config.get("secret_token", ""))
        self._header = rest_authorization(key)

    @property
    def auth_header(self) -> str:
        """The header's name."""
        return "Authorization"

    @property
    def token(self) -> str:
        """The header's value."""
        return self._header
