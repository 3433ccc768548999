"""The checks find what they are there to find: each planted fault is told, and a sound run has none."""

import random
from collections.abc import Callable

import pytest
from confluent_kafka import Message
from msgspec import structs

from feature_stream.advance import absorb, provisional
from feature_stream.state import PartitionState, TickerState
from feature_stream.table import offset_of, partition_key, snapshot_of, with_offset
from schemas.codec import encode
from schemas.events import Features, Prediction
from schemas.partitioning import partition_of
from tests.chaos import checks
from tests.chaos.contents import SaidFeatures, SaidPredictions, digest
from tests.chaos.expected import Expected, expected_of
from tests.chaos.states import KeptStates
from tests.feature_stream.simulation import PARTITIONS, RULES, market_frames
from tests.predictor.feature_events import final
from tests.predictor.forecasters import HORIZONS

Record = tuple[bytes, bytes]


class Run:
    """A log, what a stage without faults says of it, and what it keeps after every fourth frame."""

    def __init__(self, seed: int) -> None:
        self.log: list[Message] = []
        self.features: list[Features] = []
        self.changelog: list[Record] = []
        frames = list(market_frames(random.Random(seed), tickers=8, minutes=4))
        for partition in range(PARTITIONS):
            state, states = PartitionState(partition), dict[str, TickerState]()
            for offset, frame in enumerate(frame for home, frame in frames if home == partition):
                value = encode(frame)
                self.log.append(Message(topic="ticks", partition=partition, offset=offset, value=value))
                absorbed = absorb(state, states, frame, offset, RULES, 5)
                self.features += absorbed.features
                spoken = (provisional(states[ticker], partition, RULES, 5) for ticker in absorbed.touched)
                self.features += [event for event in spoken if event is not None]
                self._keep(state, states, offset)

    def _keep(self, state: PartitionState, states: dict[str, TickerState], offset: int) -> None:
        if offset % 4 == 3:
            self.changelog += [(t.encode(), with_offset(s.offset, s.snapshot())) for t, s in states.items()]
            self.changelog.append((partition_key(state.partition), with_offset(offset, state.snapshot())))

    def differences(self) -> list[str]:
        said, kept = SaidFeatures(), KeptStates()
        for event in self.features:
            said.add(event)
        for key, value in self.changelog:
            kept.add(key, value)
        expected = self._expected(said, kept)
        return [
            *checks.said_once("final", said.finals),
            *checks.same_contents("final", said.finals.first, expected.finals),
            *checks.said_once("provisional", said.provisionals),
            *checks.same_contents("provisional", said.provisionals.first, expected.provisionals),
            *checks.states_hold(kept, expected),
        ]

    def _expected(self, said: SaidFeatures, kept: KeptStates) -> Expected:
        homes = {
            key: int(key[1:]) if key.startswith(b"@") else partition_of(key.decode(), PARTITIONS) for key in kept.newest
        }
        return expected_of(self.log, RULES, said, kept, homes)

    def change(self, *, final: bool, **changes: object) -> None:
        at = max(at for at, event in enumerate(self.features) if event.final is final)
        self.features[at] = structs.replace(self.features[at], **changes)


def _say_again_otherwise(run: Run) -> None:
    run.features.append(structs.replace(next(e for e in run.features if e.final), current_price=1.0))


def _keep_under_an_offset_that_it_has_not(run: Run) -> None:
    key, value = next(record for record in reversed(run.changelog) if not record[0].startswith(b"@"))
    run.changelog.append((key, with_offset(offset_of(value) - 1, snapshot_of(value))))


def _keep_another_record(run: Run) -> None:
    key, value = run.changelog[-1]
    state = PartitionState.restore(snapshot_of(value))
    next(iter(state.sources.values())).sequence += 1
    run.changelog[-1] = (key, with_offset(offset_of(value), state.snapshot()))


FAULTS: dict[str, Callable[[Run], None]] = {
    "a final feature is missing": lambda run: run.features.remove(next(e for e in run.features if e.final)),
    "a final feature is another": lambda run: run.change(final=True, current_price=2.0),
    "a provisional feature is another": lambda run: run.change(final=False, current_price=2.0),
    "a provisional feature is of another offset": lambda run: run.change(final=False, id="x"),
    "something is said twice, otherwise": _say_again_otherwise,
    "the last states are missing": lambda run: run.changelog.__delitem__(slice(-4, None)),
    "a state is of another offset": _keep_under_an_offset_that_it_has_not,
    "a partition's record is another": _keep_another_record,
}


def test_a_sound_run_has_no_differences_and_repeats_are_none(seed: int) -> None:
    run = Run(seed)
    run.features += [structs.replace(event, featured_at_ns=9) for event in run.features[:10]]
    run.changelog += run.changelog[-2:]
    assert run.differences() == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(seed: int, fault: Callable[[Run], None]) -> None:
    run = Run(seed)
    fault(run)
    assert run.differences()


def test_an_old_state_after_a_newer_one_is_no_difference_but_is_counted(seed: int) -> None:
    run = Run(seed)
    first = next(record for record in run.changelog if record[0].startswith(b"@"))
    run.changelog.append(first)
    assert run.differences() == []
    kept = KeptStates()
    for key, value in run.changelog:
        kept.add(key, value)
    assert kept.overtaken == {first[0]}


def _prediction(feature: Features, **changes: object) -> Prediction:
    made = Prediction(
        id=f"{feature.id}/s",
        feature_id=feature.id,
        ticker=feature.ticker,
        interval=feature.interval,
        as_of_ns=feature.as_of_ns,
        current_price=100.0,
        bar_index=feature.bar_index,
        horizons=[],
        models=[],
        model_set="s",
        weights_version="prior",
        intervals_version="prior",
        provisional=False,
        in_sample=False,
        source_partition=0,
        source_offset=0,
        ingested_at_ns=0,
        featured_at_ns=0,
        predicted_at_ns=0,
    )
    return structs.replace(made, **changes)


def test_predictions_may_repeat_nearly_equal_and_each_final_feature_needs_one() -> None:
    feature = final(day=len(HORIZONS))
    said = SaidPredictions()
    said.add(encode(_prediction(feature)))
    said.add(encode(_prediction(feature, current_price=100.0 + 1e-6, predicted_at_ns=7)))
    assert checks.predictions_hold(said, [feature.id]) == []
    assert len(checks.predictions_hold(said, [feature.id, "another"])) == 1
    assert len(checks.predictions_hold(said, [])) == 1
    said.add(encode(_prediction(feature, current_price=100.01)))
    assert len(checks.predictions_hold(said, [feature.id])) == 1


def test_a_digest_leaves_out_only_what_is_not_content() -> None:
    event = final()
    assert digest(event) == digest(structs.replace(event, featured_at_ns=3, source_offset=4))
    assert digest(event) != digest(structs.replace(event, as_of_ns=event.as_of_ns + 1))
