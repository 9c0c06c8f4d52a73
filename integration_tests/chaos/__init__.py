"""Seeded chaos runs of both connectors: whatever fails, moves or is killed, what they promise must hold."""
