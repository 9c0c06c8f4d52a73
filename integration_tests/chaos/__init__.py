"""Seeded ordeals of both connectors: whatever fails, moves or dies, what they promise must hold."""
