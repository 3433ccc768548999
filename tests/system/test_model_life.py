"""A market turns: drift is raised, a challenger trained and judged, the predictor swaps, and a person takes it back."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from predictor.scoring_boards import ALL
from schemas.events import ModelAction, ModelEvent, Origin
from schemas.times import from_rfc3339
from schemas.topics import BARS, FEATURES, MODEL_COMMANDS, MODELS, PREDICTIONS, SCORES
from tests.brokers import BrokerUnderTest
from tests.processes import Processes, ServiceProcess, free_port
from tests.records import Record
from tests.system.reversing_market import CALM_DAYS, HISTORY_DAYS, TICKERS, Market, day_of
from tests.system.running_system import READ_SECONDS, System, is_final

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Live days of each of three stretches. In the first, a fit before the compared dates has seen much of the turn.
STRETCHES = (CALM_DAYS + 600, 40, 40)
#: Three trainings, on a machine that other tests share.
TRAINED_WITHIN_SECONDS = 600.0
SERVICES = ("predictor", "feature_stream", "feature_stream.outcomes")


class Exchange:
    """A system, and the market that it plays."""

    def __init__(self, kafka: BrokerUnderTest, processes: Processes, rng: random.Random, folder: Path) -> None:
        prices = folder / "prices.csv"
        self._market = Market(prices, HISTORY_DAYS + sum(STRETCHES), rng.randrange(2**32))
        self._market.write(HISTORY_DAYS)
        self._live_days = 0
        settings = {
            "source": f"file:{prices}",
            "start": day_of(HISTORY_DAYS),
            "speed": 0,
            "models_directory": folder / "models",
            "mlflow_tracking_uri": f"sqlite:///{folder}/mlflow.db",
            "horizons": "1,5",  # 126 dates hold six outcomes at 21 bars: which set looks better there is luck
            "training_seed": rng.randrange(2**32),
        }
        self.system = System(kafka, processes, free_port(), settings)

    def start_trainer(self) -> ServiceProcess:
        """Start the trainer, or start it again."""
        return self.system.processes.start("predictor.training", "trainer", environment=self.system.environment())

    def play(self, days: int) -> None:
        """Play so many days more, until all is predicted."""
        self._market.write(days)
        self._live_days += days
        system, count = self.system, self._live_days * len(TICKERS)
        ingestor = system.start("ingestor")
        bars = system.broker.read(BARS, lambda records: len(_live(records)) >= count, READ_SECONDS)
        ingestor.stop()
        _assert_every_bar_is_predicted(system, len({record.event().id for record in bars}))

    def wait_for_scores(self) -> None:
        """Wait until the scoreboards know what has matured by the last day.

        How far they are when a training reads the outcomes is otherwise a race that the market, played at once, wins:
        the dates compared would lie before the turn, where the set that serves is hard to beat.
        """
        last_ns = from_rfc3339(day_of(HISTORY_DAYS + self._live_days))

        def known(records: list[Record]) -> bool:
            boards = (record.event() for record in records)
            return {board.ticker for board in boards if board.through_ns >= last_ns} >= {ALL, *TICKERS}

        self.system.broker.read(SCORES, known, READ_SECONDS)


@pytest.fixture
def exchange(kafka: BrokerUnderTest, processes: Processes, rng: random.Random, tmp_path: Path) -> Exchange:
    """Give one."""
    return Exchange(kafka, processes, rng, tmp_path)


def test_a_market_that_turns_gets_another_model_and_a_person_takes_it_back(exchange: Exchange) -> None:
    system = exchange.system
    trainer = exchange.start_trainer()
    first = _decision(system, lambda event: event.action is ModelAction.TRAINED)
    assert trainer.stop() == 0, trainer.output()
    for name in SERVICES:
        system.start(name)
    exchange.play(STRETCHES[0])
    exchange.wait_for_scores()
    trainer = exchange.start_trainer()
    asked = system.broker.read(MODEL_COMMANDS, 1, READ_SECONDS)[0].event()
    assert asked.requested_by == "drift"
    assert asked.evidence["retrain"] == "asked"
    answer = _decision(system, lambda event: event.command_id == asked.id)
    assert answer.numbers["dates"] >= 126
    assert "p_value" in answer.numbers
    assert answer.action is ModelAction.PROMOTED, answer.reason
    assert answer.train_end_ns > first.train_end_ns
    exchange.play(STRETCHES[1])
    _roll_back(system)
    assert _decision(system, lambda event: event.action is ModelAction.ROLLED_BACK).serving == first.serving
    exchange.play(STRETCHES[2])
    sets = [record.event().model_set for record in system.broker.read(PREDICTIONS)]
    assert {first.serving, answer.serving} <= set(sets)
    assert sets[-1] == first.serving
    for service in (trainer, *(system.services[name] for name in SERVICES)):
        assert service.stop() == 0, service.output()


def _live(records: list[Record]) -> set[str]:
    return {event.id for event in (record.event() for record in records) if event.origin is Origin.NORMAL}


def _roll_back(system: System) -> None:
    """Have the command line take the promotion back."""
    words = ("rollback", "--reason", "a test")
    command = system.processes.start("predictor.commanding", *words, environment=system.environment())
    assert command.wait() == 0, command.output()


def _decision(system: System, matches: Callable[[ModelEvent], bool]) -> ModelEvent:
    """Wait for a decision."""

    def found(records: list[Record]) -> list[ModelEvent]:
        return [event for record in records if matches(event := record.event())]

    return found(system.broker.read(MODELS, lambda records: bool(found(records)), TRAINED_WITHIN_SECONDS))[0]


def _assert_every_bar_is_predicted(system: System, bars: int) -> None:
    finals = {record.event().id for record in system.wait_for_count(bars, FEATURES, is_final)}

    def all_predicted(records: list[Record]) -> bool:
        return finals <= {record.event().feature_id for record in records}

    assert len(finals) == bars
    system.broker.read(PREDICTIONS, all_predicted, READ_SECONDS)
