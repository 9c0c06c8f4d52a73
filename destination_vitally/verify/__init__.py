"""Whether what was sent in batches is in Vitally."""
