"""`python -m predictor`: predict; `python -m predictor train …`: fit the models."""

import sys
from collections.abc import Sequence

from predictor.service import SERVICE, run
from predictor.settings import PredictorSettings
from schemas.service import run_service


def main(arguments: Sequence[str]) -> None:
    """Run the worker, or hand the arguments after `train` on to the training."""
    if arguments[:1] == ["train"]:
        from predictor.training.__main__ import main as train  # noqa: PLC0415 - TensorFlow is not for serving

        train(list(arguments[1:]))
        return
    if arguments:
        sys.exit(f"predictor: unknown argument {arguments[0]!r}: there is only `train`")
    run_service(SERVICE, PredictorSettings, run)


if __name__ == "__main__":
    main(sys.argv[1:])
