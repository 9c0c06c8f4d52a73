"""A file per family of objects: what is written of them, field by field and operation by operation."""
