"""What became of each record, and what happens with the rejected ones."""
