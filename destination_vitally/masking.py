"""What keeps secrets out of every output of the destination, those that the CDK writes among them."""

from __future__ import annotations

from typing import Any

from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets

from vitally_api import masking
from vitally_api.masking import values_without_secrets, without_secrets

__all__ = ["make_known", "values_without_secrets", "without_secrets"]


def make_known(config: Any = None) -> None:
    """Make the secrets of a configuration, whatever its shape, and of the environment's proxies known."""
    masking.make_known(config, update_secrets)
