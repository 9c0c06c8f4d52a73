"""What keeps secrets out of every output: they are made known once, and each text of others is masked."""

from __future__ import annotations

import logging
import os
from typing import Any

from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets

from vitally_api.secrets import Masks, masks

logger = logging.getLogger("airbyte")

_known = [Masks([], None)]


def make_known(config: Any = None) -> None:
    """Make the secrets of a configuration, whatever its shape, and of the environment's proxies known.

    From here on no log line, trace, status or rejected record shows them, in whichever spelling.
    """
    _known[:] = [masks(config, os.environ)]
    update_secrets(_known[0].texts)
    logger.addFilter(_mask_entry)


def without_secrets(text: str) -> str:
    """Return a text without the secrets that are known."""
    text = filter_secrets(text)
    return _known[0].words.sub("****", text) if _known[0].words else text


def values_without_secrets(value: Any) -> Any:
    """Return a JSON value without the secrets in its texts; the names of members stay."""
    if isinstance(value, dict):
        return {name: values_without_secrets(item) for name, item in value.items()}
    if isinstance(value, list):
        return [values_without_secrets(item) for item in value]
    return without_secrets(value) if isinstance(value, str) else value


def _mask_entry(entry: logging.LogRecord) -> bool:
    entry.msg, entry.args = without_secrets(entry.getMessage()), ()
    return True
