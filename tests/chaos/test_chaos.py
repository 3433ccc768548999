"""Whatever happens to whom, nothing is lost and nothing is said twice with another content.

`make chaos KILLS=100 SEED=7` sets the two variables below; plain `make test` disturbs a few times.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from deploy.kafka.jars import UnavailableError
from feature_stream.advance import StageRules
from schemas.topics import TICKS
from tests.chaos import checks
from tests.chaos.expected import Expected, expected_of
from tests.chaos.killable_kafka import KillableKafka
from tests.chaos.log_reading import records_of
from tests.chaos.market import Market, make_market
from tests.chaos.model_set import save_set
from tests.chaos.plan import FIRST_WORKERS, INGESTOR, Disturbance, nominal_seconds, plan
from tests.chaos.replay import INTERVAL, PARTITIONS, Replay, SaidByReplay
from tests.chaos.report import report
from tests.chaos.system import DATA_HAS_ENDED, DisturbedSystem
from tests.processes import Processes
from tests.servers import missing_kafka

pytestmark = [pytest.mark.chaos, pytest.mark.integration, pytest.mark.slow]

KILLS_VARIABLE = "CHAOS_KILLS"
_FEW_KILLS = 5
#: Restarts take longer than planned; the file must not end before.
_MARKET_RESERVE_SECONDS = 20.0
_MARKET_FACTOR = 1.2
_SETTLE_SECONDS = 120.0
_SETTLE_SECONDS_PER_KILL = 10.0

Say = Callable[[str], None]


@pytest.fixture
def kills() -> int:
    return int(os.environ.get(KILLS_VARIABLE) or _FEW_KILLS)


@pytest.fixture
def killable_kafka(tmp_path: Path) -> Iterator[KillableKafka]:
    try:
        kafka = KillableKafka(tmp_path / "kafka")
    except UnavailableError as error:
        missing_kafka(str(error))
    yield kafka
    kafka.stop()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Write to the terminal, in a short run to what pytest captures."""
    began = time.monotonic()

    def write(text: str) -> None:
        with capsys.disabled() if KILLS_VARIABLE in os.environ else nullcontext():
            print(f"\n[{time.monotonic() - began:6.1f} s] {text}", end="", flush=True)  # noqa: T201

    return write


def test_a_disturbed_replay_says_what_an_undisturbed_one_says(
    killable_kafka: KillableKafka, processes: Processes, tmp_path: Path, seed: int, kills: int, say: Say
) -> None:
    disturbances = plan(seed, kills)
    say(f"chaos: {kills} disturbances, seed {seed}")
    market = make_market(seed, _MARKET_RESERVE_SECONDS + _MARKET_FACTOR * nominal_seconds(disturbances))
    market.write(tmp_path / "market.parquet")
    begin = _beginner(killable_kafka, processes, tmp_path)
    settle_seconds = _SETTLE_SECONDS + _SETTLE_SECONDS_PER_KILL * kills

    undisturbed = begin()
    _play(undisturbed, killable_kafka, [], settle_seconds, say)
    disturbed = begin()
    system = _play(disturbed, killable_kafka, disturbances, settle_seconds, say)

    said, other = disturbed.said(), undisturbed.said()
    expected = _expected(disturbed, said)
    facts = _facts(said, expected, system)
    say("\n" + report(seed, disturbances, (life.output() for life in system.lives()), facts))
    differences = _differences(said, expected, market) + _differences_from(said, other)
    assert not differences, f"{len(differences)} differences, the first of them:\n" + "\n".join(differences[:40])


def _beginner(kafka: KillableKafka, processes: Processes, folder: Path) -> Callable[[], Replay]:
    models = save_set(folder / "models", INTERVAL)
    return lambda: Replay.begin(kafka.server, processes, folder / "market.parquet", models)


def _play(
    replay: Replay, kafka: KillableKafka, disturbances: list[Disturbance], seconds: float, say: Say
) -> DisturbedSystem:
    """Play the whole file, disturbed while ticks come; what is left of it then, as fast as it goes."""
    workers = FIRST_WORKERS if disturbances else FIRST_WORKERS[:1]  # with one, not even a partition moves
    members = [*map(replay.worker, workers), replay.predictor(), replay.ingestor()]
    system = DisturbedSystem(kafka, replay.broker, members, replay.worker)
    ingestor = system.members[INGESTOR]
    if not disturbances:
        ingestor.environment |= replay.ingestor(speed=0).environment
    for member in system.members.values():
        member.start()
    if disturbances:
        system.disturb(disturbances, say)
        say("the rest as fast as it goes")
        ingestor.end_politely()
        ingestor.environment |= replay.ingestor(speed=0).environment
        ingestor.start()
    system.wait_until(
        lambda: DATA_HAS_ENDED in ingestor.lives[-1].output(), what="the end of the file", seconds=seconds
    )
    system.wait_until(replay.is_absorbed, what="everything being absorbed", seconds=seconds)
    say("everything is absorbed")
    for member in system.members.values():
        member.end_politely()
    return system


def _expected(replay: Replay, said: SaidByReplay) -> Expected:
    rules = StageRules(interval=INTERVAL, partitions=PARTITIONS)
    return expected_of(records_of(replay.broker, TICKS), rules, said.features, said.states, said.homes())


def _differences(said: SaidByReplay, expected: Expected, market: Market) -> list[str]:
    """Hold what was said against the file and the log."""
    features = said.features
    return [
        *checks.log_holds(expected, market.contents(PARTITIONS)),
        *checks.said_once("bar", said.bars),
        *checks.same_contents("bar", said.bars.first, expected.bars),
        *checks.said_once("final feature", features.finals),
        *checks.same_contents("final feature", features.finals.first, expected.finals),
        *checks.said_once("provisional feature", features.provisionals),
        *checks.same_contents("provisional feature", features.provisionals.first, expected.provisionals),
        *checks.predictions_hold(said.predictions, expected.finals),
        *said.latest.contradictions,
        *checks.states_hold(said.states, expected),
        *checks.same_contents("dead letter", said.dead_letters, expected.dead_letters),
    ]


def _differences_from(said: SaidByReplay, undisturbed: SaidByReplay) -> list[str]:
    """Hold what was said against the undisturbed run."""
    return [
        *checks.same_contents("bar beside the undisturbed run's", said.bars.first, undisturbed.bars.first),
        *checks.same_contents(
            "final feature beside the undisturbed run's",
            said.features.finals.first,
            undisturbed.features.finals.first,
        ),
        *checks.predictions_agree(said.predictions, undisturbed.predictions),
        *checks.states_agree(said.states.tickers(), undisturbed.states.tickers()),
    ]


def _facts(said: SaidByReplay, expected: Expected, system: DisturbedSystem) -> list[str]:
    features = said.features
    return [
        f"{sum(ticks.count for ticks in expected.ticks.values())} ticks, {len(expected.bars)} bars, "
        f"{len(features.provisionals.first)} provisional features, {len(said.predictions.first)} predicted finals, "
        f"{len(said.dead_letters)} dead letters, {len(said.states.contents)} states kept",
        f"said again with the same content: {said.bars.repeats} bars, {features.finals.repeats} final features, "
        f"{said.predictions.repeats} predictions; {expected.frames_twice} frames twice in the log",
        f"keys whose last state in the changelog is not the newest: {len(said.states.overtaken)}",
        f"{system.bars_while_disturbed} bars were there when the last disturbance was over",
        f"{len(system.lives())} lives, of which {sum(len(member.ends) for member in system.everyone())} ended unasked",
    ]
