"""The journal: what a sync is about to change, what was there before, and what became of it."""
