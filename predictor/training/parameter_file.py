"""The file that a search writes and a training reads."""

from pathlib import Path

import msgspec
from msgspec import Struct

from predictor.parameters import Parameters
from schemas.errors import StopAndSayError


class Searched(Struct, frozen=True, kw_only=True):
    """How the search of one model went; errors are mean squared ones of scaled targets, over the folds.

    Attributes:
        tried: Number of candidates.
        default_error: Of the defaults.
        no_change_error: Of the forecast of no change.
    """

    tried: int
    best_error: float
    default_error: float
    no_change_error: float


class ParameterFile(Struct, frozen=True, kw_only=True):
    """The best parameters that were found, and on what; only the first field is read back.

    Attributes:
        through_ns: End of the last bar that the search has seen: the hold-out's start or before.
    """

    parameters: Parameters
    searched: dict[str, Searched] = {}
    through_ns: int = 0
    samples: int = 0
    seed: int = 0


def read_parameters(path: Path | None) -> Parameters:
    """Read a file of parameters; the defaults where there is none.

    Raises:
        StopAndSayError: It cannot be read, or says something that is no parameter.
    """
    if path is None:
        return Parameters()
    try:
        return msgspec.json.decode(path.read_bytes(), type=ParameterFile).parameters
    except (OSError, ValueError) as error:
        raise StopAndSayError(f"TICKCAST_TRAINING_PARAMETERS: {path} cannot be read: {error}") from error


def write_parameters(found: ParameterFile, path: Path) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    unfinished.replace(path)
