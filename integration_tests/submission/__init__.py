"""What Airbyte's own tools say of what `make submission` writes: `make test-submission`."""
