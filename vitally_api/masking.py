"""What keeps secrets out of every output: they are made known once, and each text of others is masked."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from vitally_api.secrets import Masks, masks

_known = [Masks([], None)]


def make_known(config: Any, register: Callable[[list[str]], object]) -> None:
    """Make the secrets of a configuration, whatever its shape, and of the environment's proxies known.

    From here on no log line, trace, status or rejected record shows them, in whichever spelling. `register` takes the
    spellings that are masked wherever they are: of what the CDK writes by itself, it masks these.
    """
    _known[:] = [masks(config, os.environ)]
    register([*_known[0].texts])
    logging.getLogger("airbyte").addFilter(mask_entry)


def without_secrets(text: str) -> str:
    """Return a text without the secrets that are known."""
    return _known[0].applied(text)


def values_without_secrets(value: Any, *, names: bool = False) -> Any:
    """Return a JSON value without the secrets in its texts, and in the names of members if these are somebody's too."""
    if isinstance(value, dict):
        return {
            without_secrets(name) if names else name: values_without_secrets(item, names=names)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [values_without_secrets(item, names=names) for item in value]
    return without_secrets(value) if isinstance(value, str) else value


def mask_entry(entry: logging.LogRecord) -> bool:
    """Mask what is logged, as a filter of a logger."""
    entry.msg, entry.args = without_secrets(entry.getMessage()), ()
    return True
