"""Fixtures of this room."""

from tests.predictor_training.registries import empty_database, registry

__all__ = ["empty_database", "registry"]
