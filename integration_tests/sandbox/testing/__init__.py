"""What tests need besides the sandbox: a client, fixtures, bodies of requests."""
