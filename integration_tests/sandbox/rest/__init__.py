"""The REST API: routes, lists, writes."""
