"""What a new workspace holds."""
