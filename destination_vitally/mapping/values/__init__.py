"""Values of records brought into the form Vitally wants, or refused without being quoted."""

from destination_vitally.mapping.values.texts import VitallyId, identifier
from destination_vitally.mapping.values.times import moment, moment_of

__all__ = ["VitallyId", "identifier", "moment", "moment_of"]
