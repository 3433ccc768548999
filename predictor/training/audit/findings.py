"""What a check of the audit has found, and how numbers are compared: bit for bit."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from predictor.training.dataset import Dataset

_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        compared: What was held beside what, and how much of it.
        problem: The first thing that knew too much; None where nothing did.
    """

    name: str
    compared: str
    problem: str | None

    @property
    def passed(self) -> bool:
        """Tell whether nothing was found."""
        return self.problem is None


def digest(*arrays: NDArray[Any]) -> str:
    """Name numbers by all of their bits, their kind and their shape."""
    made = hashlib.sha256()
    for array in arrays:
        made.update(f"{array.dtype.kind}{array.dtype.itemsize}{array.shape}".encode())
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


def digests_of(samples: Dataset) -> dict[str, str]:
    """Name all that a fit can read of samples."""
    batch = samples.batch
    return {
        "features": digest(batch.model_inputs, batch.sequence, batch.returns, batch.volatility),
        "labels": digest(samples.log_returns, samples.targets()),
        "times": digest(samples.as_of_ns, samples.label_end_ns),
    }


def first_difference(one: Mapping[str, object], other: Mapping[str, object]) -> str | None:
    """Name the first entry that is not the same in both, to the last bit; None where all are."""
    names = [*one, *(name for name in other if name not in one)]
    missing = object()
    return next((name for name in names if not _same(one.get(name, missing), other.get(name, missing))), None)


def _same(one: object, other: object) -> bool:
    """Compare by the bits: 0 and -0 are two numbers, and one that is not a number equals itself."""
    return type(one) is type(other) and _encode(one) == _encode(other)


def first_problem(problems: Iterable[str | None]) -> str | None:
    """Give the first that is one; the rest is not computed."""
    return next((problem for problem in problems if problem is not None), None)
