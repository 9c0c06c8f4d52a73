"""Rewrites a saved config of the published source-vitally 0.4 (also of 0.1 to 0.3), which named its fields otherwise.

The old fields are `domain` (0.3 and 0.4), `api_url` (a draft of 0.4), `api_key` (0.1 and 0.2), `basic_auth_header`,
`status` and `secret_token`. A migrated config reads what it read before: the accounts of its `status`, no archived
rows, inlined objects whole, columns of the same types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from airbyte_cdk.sources.declarative.transformations.config_transformations.config_transformation import (
    ConfigTransformation,
)

from vitally_api.keys import header, is_header
from vitally_api.regions import REGIONS, SUBDOMAIN, data_center_at

_ADDRESSES = ("domain", "api_url")
_OLD_FIELDS = (*_ADDRESSES, "api_key", "basic_auth_header")
# Where 0.4's docs send an empty `domain`, and the default of `api_url`.
_DEFAULT = {"region": "custom", "rest_url": REGIONS["us"].shared_rest}
# 0.4 required `status`; without it a request had none, which by Vitally's docs means `active`.
_AS_BEFORE = {"status": "active", "include_archived": False, "inlined_objects": "full", "column_types": "0.4"}

_DEFAULTS = {"include_archived": True, "inlined_objects": "reference", "column_types": "current"}
"""What Airbyte's form fills in of these, in a config of 0.4 too that is opened there before its first run."""

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:]+")
_SCHEME = re.compile(r"^(https?:/+)+", re.IGNORECASE)

_EXPECTED = {
    "domain": "'domain' must be a single name such as acme, or an address such as https://acme.rest.vitally.io",
    "api_url": "'api_url' must be an address such as https://rest.vitally.io",
}


class OldConfig(ConfigTransformation):
    """Rewrites an old config in place; one that is new, or cannot be migrated, stays as it is."""

    def transform(self, config: MutableMapping[str, Any]) -> None:
        """Change the config only if the result can be used, as the CDK saves it for good."""
        new, obstacles = migrated(config)
        if not obstacles and _text(new.get("secret_token")):
            config.clear()
            config.update(new)


def migrated(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the config in today's fields, and what stands in the way, in sentences that quote no value.

    A config without any old field is returned as it is. Where one has fields of today as well, these stay; but of one
    that the form has saved, where the old fields are hidden, the defaults say nothing, and `data_center` all.
    """
    if not any(name in config for name in _OLD_FIELDS):
        return dict(config), []
    if config.get("column_types") == _DEFAULTS["column_types"]:
        config = {name: value for name, value in config.items() if value != _DEFAULTS.get(name)}
        if config.get("data_center"):
            config = {name: value for name, value in config.items() if name not in _ADDRESSES}
    kept = {name: value for name, value in config.items() if name not in _OLD_FIELDS}
    data_center, obstacles = _data_center(config)
    found = {"data_center": data_center, "secret_token": _key(config)}
    return {**_AS_BEFORE, **kept, **{name: value for name, value in found.items() if value}}, obstacles


def _data_center(config: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Return the `data_center` that the address fields mean together; empty ones and 0.4's default say nothing."""
    given = config.get("data_center")
    said = {"data_center": _canonical(given)} if given else {}
    obstacles = []
    for name, read in (("domain", _of_domain), ("api_url", _of_address)):
        value = config.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        meant = read(value.strip()) if isinstance(value, str) else None
        if meant is None:
            obstacles.append(_EXPECTED[name])
        elif meant != _DEFAULT:
            said[name] = meant
    first, *others = said.values() or [dict(_DEFAULT)]
    if any(other != first for other in others):
        names = " and ".join(f"'{name}'" for name in said)
        obstacles.append(f"{names} name different addresses: remove what is wrong")
    return (given or first), obstacles


def _canonical(data_center: Any) -> Any:
    """Return a `data_center` as the old fields would give it, to compare with them."""
    if isinstance(data_center, Mapping):
        if isinstance(data_center.get("subdomain"), str):
            return {**data_center, "subdomain": data_center["subdomain"].lower()}
        if isinstance(data_center.get("rest_url"), str):
            return _of_address(data_center["rest_url"].strip()) or data_center
    return data_center


def _of_domain(text: str) -> dict[str, str] | None:
    """Return what `domain` means: Vitally's subdomain, or any address of Vitally that was pasted instead."""
    if re.match(SUBDOMAIN, text):
        return {"region": "us", "subdomain": text.lower()}
    return _of_vitally_host(_parts(text)[0])


def _of_address(text: str) -> dict[str, str] | None:
    """Return what an `api_url` means: one of Vitally's own hosts by its region, another address as it is."""
    host, rest_url = _parts(text)
    return _of_vitally_host(host) or ({"region": "custom", "rest_url": rest_url} if host else None)


def _of_vitally_host(host: str) -> dict[str, str] | None:
    return dict(_DEFAULT) if f"https://{host}" == _DEFAULT["rest_url"] else data_center_at(host)


def _parts(text: str) -> tuple[str, str]:
    """Return host (lower case) and REST address (with scheme, without `/resources`) of what was pasted; "" if none."""
    bare = _SCHEME.sub("", text)
    scheme = "http" if text.lower().startswith("http://") else "https"  # ignore-https-check: as it was configured
    try:
        url = urlsplit(f"{scheme}://{bare}")
        host, _port = url.hostname or "", url.port  # a port that is none raises
    except ValueError:
        return "", ""
    if "://" in bare or not _HOST.fullmatch(host) or (bare == text and "." not in host):
        return "", ""
    return host, f"{scheme}://{url.netloc}{url.path}".rstrip("/").removesuffix("/resources").rstrip("/")


def _key(config: Mapping[str, Any]) -> Any:
    """Return the REST key so that Vitally is sent what it was sent, where that can have worked.

    0.4 made Basic authentication of `secret_token` as user name and `basic_auth_header` as password. A real password
    is kept, by making the header here. A header pasted as password cannot have been meant as one: it is the key where
    there is no other, and dropped where there is.
    """
    given = config.get("secret_token")
    if given and not isinstance(given, str):
        return given  # for the specification to complain about
    key, password = _text(given) or _text(config.get("api_key")), _text(config.get("basic_auth_header"))
    if not key or not password:
        return key or password
    return key if is_header(password) or is_header(key) else header(key, password)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
