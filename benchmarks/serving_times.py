"""What `benchmarks.serving` asks of a process of its own: times of a set's members, and of whole predictions."""

import argparse
import json
import math
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from msgspec import structs

import predictor.service  # noqa: F401 - what the predictor's process holds, its memory included
from predictor.artifacts import LoadedMember, ModelSet, load_model_set
from predictor.batch import model_batch, problem_of
from predictor.beside import Beside
from predictor.ensemble import ask_members
from predictor.models.base import Batch
from predictor.predict import answer as answer_question
from predictor.predict import predict
from predictor.question import Question
from predictor.scoring_boards import ScoringBoards
from schemas.codec import decoder, encode
from schemas.events import Features, HorizonScore, ModelScore, Prediction, Scoreboard
from schemas.service import collect_seldom

HORIZONS = (1, 5, 21)
#: The members whose pass has a goal.
TIMED_TOGETHER = ("forest", "lstm", "xgboost")
_WARM_UP = 20
#: Whole predictions of one ticker are timed on so many; more would only take longer to prepare.
_MOST_BATCHES = 500


@dataclass(frozen=True)
class Times:
    """Milliseconds of one thing, by nearest rank."""

    p50: float
    p99: float


def times_of(seconds: Sequence[float]) -> Times:
    """Give the quantiles of what was measured."""
    ordered = sorted(seconds)
    p50, p99 = (ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in (0.50, 0.99))
    return Times(1_000 * p50, 1_000 * p99)


def timed(work: Callable[[Any], object], inputs: Sequence[Any], passes: int) -> Times:
    """Time a piece of work on one input after the other, round and round."""
    seconds = []
    for each in islice(cycle(inputs), passes + _WARM_UP):
        began = time.perf_counter()
        work(each)
        seconds.append(time.perf_counter() - began)
    return times_of(seconds[_WARM_UP:])


def read_lines(path: Path, rows: int) -> Iterator[list[bytes]]:
    """Yield the events of a file, so many at a time, as they lie in Kafka."""
    with path.open("rb") as file:
        while len(lines := list(islice(file, rows))) == rows:
            yield lines


def single_rows(batch: Batch) -> list[Batch]:
    """Cut a batch into its rows."""
    parts = [getattr(batch, field.name) for field in fields(Batch)]
    return [Batch(*(part[place : place + 1] for part in parts)) for place in range(len(batch))]


def member_times(model_set: ModelSet, events: Path, rows: int, passes: int) -> dict[str, dict[str, Times]]:
    """Time the members over a whole market and over one ticker: together, those with a goal, and each alone."""
    decode = decoder(Features)
    batches = [model_batch([decode(line) for line in lines]) for lines in read_lines(events, rows)]
    singles = [row for batch in batches[:4] for row in single_rows(batch)]
    members: dict[str, Sequence[LoadedMember]] = {member.forecaster.name: [member] for member in model_set.members}
    goal = [member for name in TIMED_TOGETHER for member in members.get(name, [])]
    asked: dict[str, Sequence[LoadedMember]] = {"+".join(each.forecaster.name for each in goal): goal}
    asked |= {"all": model_set.members} | members
    return {
        name: {str(rows): timed(_asking(who), batches, passes), "1": timed(_asking(who), singles, 4 * passes)}
        for name, who in asked.items()
    }


def _asking(members: Sequence[LoadedMember]) -> Callable[[Batch], object]:
    return lambda batch: ask_members(members, batch, HORIZONS)


class _Beside:
    """Predict with the same set under another name beside it."""

    def __init__(self, model_set: ModelSet, boards: ScoringBoards) -> None:
        self._model_set, self._boards = model_set, boards
        other = structs.replace(model_set.manifest, model_set="set-beside", train_end_ns=0)  # nothing is in its sample
        self._challenger = replace(model_set, manifest=other)
        self._beside = Beside(budget_seconds=60.0)

    def __call__(self, events: list[Features]) -> list[Prediction]:
        question = Question(events, HORIZONS, 0, self._boards)
        predicted = answer_question(question, self._model_set)
        return self._beside.show(question, predicted, self._model_set, self._challenger, 0.0)


def whole_times(model_set: ModelSet, events: Path, rows: int, passes: int) -> dict[str, Times]:
    """Time the predictor's way from bytes to bytes, and its parts: decode, predict (models included), encode."""
    decode, boards = decoder(Features), ScoringBoards("1d", HORIZONS)
    for lines in read_lines(events, rows):
        for line in lines:
            boards.add(_board(decode(line).ticker))
    boards.add(_board("*"))

    def read(lines: list[bytes]) -> list[Features]:
        events = [decode(line) for line in lines]
        assert not any(problem_of(event, "1d") for event in events)
        return events

    def answer(events: list[Features]) -> list[Prediction]:
        return predict(events, model_set, HORIZONS, 0, boards).predictions

    beside = _Beside(model_set, boards)

    def write(predictions: list[Prediction]) -> list[bytes]:
        return [encode(prediction) for prediction in predictions]

    records = list(islice(read_lines(events, rows), _MOST_BATCHES))
    questions = [read(each) for each in records]
    answers = [answer(each) for each in questions]
    collect_seldom()
    return {
        "decode": timed(read, records, passes),
        "predict": timed(answer, questions, passes),
        "predict, with a challenger": timed(beside, questions, passes),
        "encode": timed(write, answers, passes),
        "encode, with a challenger": timed(write, [beside(each) for each in questions], passes),
        "bytes to bytes": timed(lambda each: write(answer(read(each))), records, passes),
    }


def _board(ticker: str) -> Scoreboard:
    score = ModelScore(count=1, mean_absolute_error=1.0, root_mean_squared_error=1.0)
    each: dict[str, Any] = {"settled_dates": 1, "ensemble": score, "naive": score, "models": {}, "slope": 1.0}
    weights = {"forest": 0.5, "lstm": 0.5}
    return Scoreboard(
        id=ticker,
        ticker=ticker,
        interval="1d",
        model_set="",
        through_ns=0,
        bar_index=1,
        horizons=[HorizonScore(horizon=h, weights=weights, width_95=1.1, width_99=1.2, **each) for h in HORIZONS],
        weights_version="of-the-bench",
        intervals_version="of-the-bench",
        source_partition=0,
        source_offset=0,
        updated_at_ns=0,
    )


def peak_memory(model_set: ModelSet, events: Path, rows: int) -> float:
    """Give the most memory that this process has held, in MiB, after predicting all of the file."""
    decode, boards = decoder(Features), ScoringBoards("1d", HORIZONS)
    for lines in read_lines(events, rows):
        questions = [decode(line) for line in lines]
        for prediction in predict(questions, model_set, HORIZONS, 0, boards).predictions:
            encode(prediction)
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says, a process inherits from the one that started it
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def main() -> None:
    """Answer one question, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", choices=("members", "whole", "memory"))
    parser.add_argument("model_set", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--passes", type=int, required=True)
    options = parser.parse_args()
    model_set = load_model_set(options.model_set, interval="1d", horizons=HORIZONS)
    assert not model_set.refused, model_set.refused
    if options.question == "memory":
        answer: Any = peak_memory(model_set, options.events, options.rows)
    else:
        ask = member_times if options.question == "members" else whole_times
        answer = ask(model_set, options.events, options.rows, options.passes)
    print(json.dumps(answer, default=asdict))


if __name__ == "__main__":
    main()
