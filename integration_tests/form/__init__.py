"""The specs as forms in a browser: `make test-form`."""
