"""What Vitally lets one write, as data."""
