"""One sync: lines in, changes out, order, workers, states."""
