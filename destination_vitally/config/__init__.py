"""The configuration of the destination: what a person fills in, checked and with its defaults applied."""

from destination_vitally.config.base import Settings, setting
from destination_vitally.config.mapping import (
    Cast,
    ConstantEntry,
    ConstantTraitEntry,
    FieldEntry,
    MissingRows,
    NullPolicy,
    StreamMapping,
    TraitEntry,
)
from destination_vitally.config.reading import read
from destination_vitally.config.settings import Config, DataCenter
from destination_vitally.config.storage import NoStorage, S3Storage

__all__ = [
    "Cast",
    "Config",
    "ConstantEntry",
    "ConstantTraitEntry",
    "DataCenter",
    "FieldEntry",
    "MissingRows",
    "NoStorage",
    "NullPolicy",
    "S3Storage",
    "Settings",
    "StreamMapping",
    "TraitEntry",
    "read",
    "setting",
]
