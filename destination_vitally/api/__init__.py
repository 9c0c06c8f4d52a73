"""A request to one of Vitally's APIs and its answer; knows no object."""
