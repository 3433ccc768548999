"""Ticks come in: sources, and their way into `ticks`."""
