"""The file that a search writes and a training reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from predictor.parameters import ForestParameters, Parameters, PriorWeights, XgboostParameters
from schemas.errors import StopAndSayError

#: In the evidence of a command: the end of the last bar that the search of its parameters has seen.
SEARCHED_THROUGH = "searched_through_ns"


class _ForestInFile(ForestParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A typing error must not pass for a wish; a manifest may be of a later version, and is read with what it has."""


class _XgboostInFile(XgboostParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Likewise."""


class _WeightsInFile(PriorWeights, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Likewise."""


class _InFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    forest: _ForestInFile = field(default_factory=_ForestInFile)
    xgboost: _XgboostInFile = field(default_factory=_XgboostInFile)
    weights: _WeightsInFile = field(default_factory=_WeightsInFile)


class _Strictly(Struct, frozen=True, kw_only=True):
    parameters: _InFile


class Searched(Struct, frozen=True, kw_only=True):
    """How the search of one model went; errors are mean squared ones of scaled targets, over the folds.

    Attributes:
        tried: Number of candidates.
        default_error: Of the defaults; XGBoost's at a fixed number of rounds, where a training finds its own.
        no_change_error: Of the forecast of no change.
    """

    tried: int
    best_error: float
    default_error: float
    no_change_error: float


class ParameterFile(Struct, frozen=True, kw_only=True):
    """The best parameters that were found, and on what.

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
    return read_parameter_file(path).parameters


def read_parameter_file(path: Path | None) -> ParameterFile:
    """Likewise, with what it was searched on."""
    if path is None:
        return ParameterFile(parameters=Parameters())
    try:
        content = path.read_bytes()
        msgspec.json.decode(content, type=_Strictly)
        return msgspec.json.decode(content, type=ParameterFile)
    except (OSError, ValueError) as error:
        raise StopAndSayError(f"TICKCAST_TRAINING_PARAMETERS: {path} cannot be read: {error}") from error


def parameters_of(given: Mapping[str, Any]) -> Parameters:
    """Read parameters from a command, by model and name; the defaults where it is silent.

    Raises:
        ValueError: Something in it is no parameter.
    """
    msgspec.convert(given, type=_InFile)
    return msgspec.convert(given, type=Parameters)


def search_evidence(found: ParameterFile) -> dict[str, str]:
    """Say in a command's evidence how far the search has seen; nothing where the file does not tell."""
    return {SEARCHED_THROUGH: str(found.through_ns)} if found.through_ns else {}


def searched_through_ns(evidence: Mapping[str, str]) -> int:
    """Read it; 0 where nothing was searched.

    Raises:
        ValueError: It is no number.
    """
    return int(evidence.get(SEARCHED_THROUGH, "0"))


def write_parameters(found: ParameterFile, path: Path) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    unfinished.replace(path)
