"""The packages that only the training needs: imported without TensorFlow's chatter, and missed in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import StopAndSayError


@contextmanager
def quiet_import() -> Iterator[None]:
    """Keep standard error clean while TensorFlow is imported.

    What its C++ half logs before it reads its own settings (no GPU found, and so on) cannot be turned off
    in another way. An exception still passes through.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


@contextmanager
def training_packages() -> Iterator[None]:
    """Import what only the training needs, quietly; where it is missing, say which extra has it."""
    try:
        with quiet_import():
            yield
    except ImportError as error:
        raise StopAndSayError(f"{error.name} is missing: training needs `pip install 'tickcast[train]'`") from error
