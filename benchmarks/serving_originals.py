"""What `benchmarks.serving` holds the served models against: scikit-learn's and Keras's own `predict`.

The forest is fitted on all the data before the replay. What an LSTM says does not change how long it takes to say it,
so that one is fitted on a few rows.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.serving_times import HORIZONS, Times, read_lines, single_rows, timed
from predictor.batch import model_batch
from predictor.training.dataset import dataset_from_bars
from predictor.training.fitting import FittedModel, Progress
from predictor.training.forest_fit import fit_forest
from predictor.training.history import bars_before_start
from predictor.training.lstm_fit import fit_lstm
from predictor.training.settings import TrainingSettings
from schemas.codec import decoder
from schemas.events import Features

_FEW_ROWS = 100
_SEED = 7


def original_times(events: Path, rows: int, passes: int) -> dict[str, dict[str, Times]]:
    """Time `predict` of each original, over a whole market and over one ticker."""
    dataset, progress = (
        dataset_from_bars(bars_before_start(TrainingSettings(_env_file=None)), "1d", HORIZONS),
        Progress(9),
    )
    models: dict[str, FittedModel] = {
        "scikit-learn's forest": fit_forest(dataset, _SEED, progress),
        "Keras's LSTM": fit_lstm(dataset.rows(slice(0, _FEW_ROWS)), _SEED, progress),
    }
    progress.close()
    decode = decoder(Features)
    batches = [model_batch([decode(line) for line in lines]) for lines in read_lines(events, rows)]
    singles = single_rows(batches[0])
    return {
        name: {
            str(rows): timed(model.predict_targets, batches, passes),
            "1": timed(model.predict_targets, singles, passes),
        }
        for name, model in models.items()
    }


def main() -> None:
    """Answer, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--passes", type=int, required=True)
    options = parser.parse_args()
    print(json.dumps(original_times(options.events, options.rows, options.passes), default=asdict))


if __name__ == "__main__":
    main()
