"""The connectors inside their images: `make image`, then `make test-image`."""
