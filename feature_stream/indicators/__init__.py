"""Indicators, one family a module, each with its state and its source."""
