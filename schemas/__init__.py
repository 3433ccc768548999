"""The contract: every shape that crosses a process boundary, and what all services must agree on."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("tickcast")
except PackageNotFoundError:  # run from a bare checkout
    VERSION = "0.0.0"

__all__ = ["VERSION"]
