"""Packages of the extra `live`: imported by who uses them, when they are used, for they are heavy."""

from importlib import import_module
from typing import Any

from schemas.errors import StopAndSayError


def live_package(module: str) -> Any:
    """Import a module of the extra.

    Raises:
        StopAndSayError: It is not installed; the line says how to.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise StopAndSayError(
            f"the package {package} for live prices is not installed: pip install tickcast[live]"
        ) from error
