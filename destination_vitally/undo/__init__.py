"""Undo: what syncs have changed is set back by their journals, as far as nobody else has changed it since."""
