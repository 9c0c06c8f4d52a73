"""From a record to the change it asks for; pure."""
