"""What the commands do besides writing."""
