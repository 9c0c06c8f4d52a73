"""How people and streams name the objects of Vitally."""

from __future__ import annotations

from dataclasses import replace

from destination_vitally.errors import ConfigError
from destination_vitally.mapping.columns import folded
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import DIRECTORIES, INSTANCE, OBJECTS
from vitally_api.names import STREAM_PREFIX

PREFIX = INSTANCE.name.removesuffix("*")
"""What stands before the name of a custom object."""


def object_of(name: str, title: str) -> Object:
    """Return the object that a mapping names, or raise a ConfigError with those there are."""
    if folded(name) in (folded(PREFIX), folded(INSTANCE.name)):
        return replace(INSTANCE, name=PREFIX)  # which is asked for once the custom objects can be named
    if entry := _known(name):
        return entry
    raise ConfigError(f"{title}: there is no object '{name}' in Vitally. Objects: {_listed()}")


def object_of_stream(name: str, title: str) -> Object:
    """Return the object that a stream is called after, or raise a ConfigError with those there are."""
    if entry := _known(name, is_stream=True):
        return entry
    if name.lower().startswith(STREAM_PREFIX) and len(name) > len(STREAM_PREFIX):
        return replace(INSTANCE, name=PREFIX + name[len(STREAM_PREFIX) :])
    raise ConfigError(
        f"{title}: its name is not that of an object of Vitally. Add an entry to Mappings that says which object its "
        f"rows become. Objects: {_listed()}"
    )


def placed(entry: Object, definition: str) -> Object:
    """Return a custom object with its place: its instances are addressed by the id of their definition."""
    return replace(entry, path=f"/customObjects/{definition}/instances", constants={"customObjectId": definition})


def _known(name: str, *, is_stream: bool = False) -> Object | None:
    """Return the object that people or streams call so, whatever its spelling; a list of names is a stream alone."""
    wanted = folded(name)
    if name.startswith(PREFIX) and len(name) > len(PREFIX):
        return replace(INSTANCE, name=name)
    for entry in (*OBJECTS, *DIRECTORIES.values()) if is_stream else OBJECTS:
        ids = (f"{entry.name}_ids",) if is_stream else ()
        if entry is not INSTANCE and wanted in map(folded, (entry.name, *entry.streams, *ids)):
            return entry
    return None


def _listed() -> str:
    return ", ".join(entry.name.replace("*", "<name>") for entry in OBJECTS)
