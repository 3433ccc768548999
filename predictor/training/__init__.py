"""Fitting, scoring and exporting the models. Nothing that serves imports this."""
