"""Packages of the extra `live`: imported by who uses them, when they are used, for they are heavy."""

import os
import sys
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


def live_binary(module: str) -> Any:
    """Import a module of the extra that calls its own C library, whichever of that name is there already.

    TensorFlow shows its plain libcurl to the whole process, and what is loaded after it would call that one: a trainer
    could not ask Yahoo.

    Raises:
        StopAndSayError: As `live_package`.
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))  # where it is missing, libraries do not mix
    try:
        return live_package(module)
    finally:
        sys.setdlopenflags(flags)
