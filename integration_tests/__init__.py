"""Everything end to end, against a Vitally workspace served on loopback."""
