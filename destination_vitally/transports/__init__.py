"""The ways to Vitally: its two APIs, the pace, ids and rows that have to be looked up."""
