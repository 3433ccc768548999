"""Inspect and replay dead letters: `tickcast dead-letters list|show|replay`."""
