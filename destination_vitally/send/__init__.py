"""From a change to requests, and what their answers mean."""
