"""Which mapping is for which stream."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from destination_vitally.config import StreamMapping
from destination_vitally.errors import ConfigError
from destination_vitally.mapping.columns import folded
from destination_vitally.protocol import AirbyteStream

logger = logging.getLogger("airbyte")


def assigned(
    mappings: Iterable[StreamMapping], streams: list[AirbyteStream]
) -> dict[tuple[str | None, str], StreamMapping]:
    """Return the mapping of each stream that has one, by namespace and name.

    A name that differs from the stream's in nothing but case and underscores is taken for it, and the log says so. A
    mapping with a namespace goes before one without.

    Raises:
        ConfigError: several mappings are for one stream, or one could be for several.
    """
    found: dict[tuple[str | None, str], list[StreamMapping]] = {}
    for mapping in mappings:
        for stream in _streams_of(mapping, streams):
            found.setdefault((stream.namespace, stream.name), []).append(mapping)
    return {key: _only(key[1], candidates) for key, candidates in found.items()}


def _streams_of(mapping: StreamMapping, streams: list[AirbyteStream]) -> list[AirbyteStream]:
    within = [s for s in streams if mapping.namespace in (None, s.namespace)]
    exact = [s for s in within if s.name == mapping.stream]
    alike = [s for s in within if folded(s.name) == folded(mapping.stream)]
    names = sorted({s.name for s in alike})
    if exact:
        return exact
    if len(names) > 1:
        raise ConfigError(
            f"The mapping of stream '{mapping.stream}' could be for {' or '.join(map(repr, names))}: write the name of "
            "the one you mean."
        )
    if names:
        logger.warning("The mapping of stream '%s' is taken for stream '%s'.", mapping.stream, names[0])
    else:
        known = ", ".join(sorted({s.name for s in streams})) or "none"
        logger.warning(
            "There is a mapping for stream '%s', which is not in the connection. Streams: %s", mapping.stream, known
        )
    return alike


def _only(stream: str, candidates: list[StreamMapping]) -> StreamMapping:
    chosen = [m for m in candidates if m.namespace] or candidates
    chosen = [m for m in chosen if m.stream == stream] or chosen
    if len(chosen) > 1:
        raise ConfigError(
            f"stream '{stream}': {len(chosen)} mappings are for it; leave one, or tell them apart by namespace"
        )
    return chosen[0]
