"""Whether a row as Vitally shows it has what was sent, or would be changed by it; pure."""
