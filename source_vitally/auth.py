"""How a request of the source shows its key."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from airbyte_cdk.sources.types import Config
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets

from vitally_api.keys import rest_authorization, secrets_of


@dataclass
class RestKeyAuthenticator(DeclarativeAuthenticator):
    """Sends the REST key, in whichever spelling it was given, as the `Authorization` header that Vitally takes.

    From then on the logs mask every spelling of it.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        key = str(self.config.get("secret_token", ""))
        self._header = rest_authorization(key)
        for spelling in secrets_of(key):
            add_to_secrets(spelling)

    @property
    def auth_header(self) -> str:
        """The header's name."""
        return "Authorization"

    @property
    def token(self) -> str:
        """The header's value."""
        return self._header
