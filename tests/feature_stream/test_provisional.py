"""What is said of a bar that is still open."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from feature_stream.advance import provisionals, to_send
from feature_stream.offline import feature_rows
from schemas.codec import encode
from schemas.events import Origin
from schemas.features import INDICATOR_NAMES
from tests.feature_stream import oracle
from tests.feature_stream.runs import SECOND, Run, Tick, at, prices_of, rules
from tests.feature_stream.scenarios import Scenario, any_scenario


def walk(bars: int, seed: int = 7) -> list[Tick]:
    random = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(random.normal(0, 0.01, bars * 4)))
    return [("A", index / 4, float(price), float(random.integers(1, 9))) for index, price in enumerate(prices)]


def bars_of(ticks: list[Tick]) -> pd.DataFrame:
    """Fold ticks in order into bars of a second, by pandas."""
    table = pd.DataFrame(ticks, columns=["ticker", "second", "price", "size"])
    by_bar = table.groupby(table.second.floordiv(1))
    return pd.DataFrame(
        {
            "open": by_bar.price.first(),
            "high": by_bar.price.max(),
            "low": by_bar.price.min(),
            "close": by_bar.price.last(),
            "volume": by_bar["size"].sum(),
        }
    ).reset_index(drop=True)


def test_indicators_are_those_of_the_bar_so_far_after_every_tick() -> None:
    ticks, run = walk(60), Run()
    for count, tick in enumerate(ticks, start=1):
        run.send(tick)
        said = run.speak()
        assert said is not None
        known = oracle.indicators(bars_of(ticks[:count])).iloc[-1] if count % 7 == 0 else None
        if known is None:
            continue
        assert tuple(said.indicators) == INDICATOR_NAMES
        for name, value in said.indicators.items():
            if value is None:
                assert np.isnan(known[name]), name
            else:
                assert value == pytest.approx(known[name], rel=1e-9, abs=1e-9), name


def test_model_inputs_are_those_of_the_last_closed_bar_and_only_the_price_moves_on() -> None:
    ticks, run = walk(40), Run()
    run.send(*ticks[:-2])
    final = run.features[-1]
    for tick in ticks[-2:]:
        run.send(tick)
        said = run.speak()
        assert said is not None
        assert said.model_inputs == final.model_inputs != []
        assert said.sequence == final.sequence != []
        assert (said.returns, said.volatility) == (final.returns, final.volatility)
        assert (said.last_close, said.bar_index) == (final.bar.close, final.bar_index)
        assert said.current_price == said.bar.close == tick[2]


def test_its_id_and_place_are_those_of_the_last_frame_absorbed() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), ingested_at_ns=3)
    run.send(("B", 0.2, 10, 1), ingested_at_ns=4)
    run.send(("A", 1.25, 12, 2), origin=Origin.FILLED, ingested_at_ns=5)
    said = run.speak()
    assert said is not None
    assert said.id == "A:1s:2024-01-01T00:00:01Z:0.2"
    assert (said.source_partition, said.source_offset, said.ingested_at_ns) == (0, 2, 5)
    assert (said.as_of_ns, said.origin, said.final) == (at(1.25), Origin.FILLED, False)
    assert (said.bar.start_ns, said.bar.end_ns, said.bar.tick_count) == (at(1), at(2), 1)
    assert run.speak("B") != said


def test_before_the_first_close_there_is_no_last_close() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    said = run.speak()
    assert said is not None
    assert (said.last_close, said.bar_index, said.model_inputs, said.sequence, said.returns) == (None, 0, [], [], [])
    assert said.volatility is None
    assert said.indicators["high_low_range"] == 0.0
    assert said.indicators["return_1"] is None


def test_it_speaks_of_the_newest_bar_and_takes_older_open_ones_as_they_stand() -> None:
    run = Run(rules(lateness=5))
    ticks = walk(3)
    run.send(*ticks)
    assert run.bars == []
    assert len(run.states["A"].open_bars) == 3
    said = run.speak()
    assert said is not None
    folded = bars_of(ticks)
    assert said.bar.start_ns == at(2)
    assert said.indicators["return_1"] == pytest.approx(np.log(folded.close[2] / folded.close[1]))
    assert said.indicators["gap"] == pytest.approx(folded.open[2] / folded.close[1] - 1)
    run.send(("A", 1.9, 50, 1))
    moved = run.speak()
    assert moved is not None
    assert moved.indicators["return_1"] == pytest.approx(np.log(folded.close[2] / 50))


def test_speaking_changes_nothing() -> None:
    silent, talking = Run(rules(lateness=1)), Run(rules(lateness=1))
    for tick in walk(50):
        silent.send(tick)
        talking.send(tick)
        before = talking.states["A"].snapshot()
        talking.speak()
        assert talking.states["A"].snapshot() == before
    assert talking.features == silent.features


@given(any_scenario)
@settings(max_examples=40)
def test_of_many_tickers_in_one_go_the_same_bytes_are_sent_as_of_each_alone(scenario: Scenario) -> None:
    run = Run(scenario.rules)
    for one in scenario.log:
        run.take(one)
        alone = [word for word in map(run.speak, run.states) if word is not None]
        together = provisionals(run.states.values(), run.partition.partition, run.rules, 0)
        assert [encode(word) for word in together] == [encode(word) for word in alone]


@given(any_scenario)
@settings(max_examples=40)
def test_final_features_are_sent_with_the_same_bytes_whether_their_lists_are_json_already_or_not(
    scenario: Scenario,
) -> None:
    run = Run(scenario.rules)
    for one in scenario.log:
        for features in run.take(one).features:
            assert encode(to_send(features, run.states[features.ticker])) == encode(features)


def test_final_features_are_those_of_bars_at_rest_bit_for_bit() -> None:
    run = Run()
    run.send(*walk(120), watermark=1_000)
    columns = zip(*(prices_of(bar) for bar in run.bars), strict=True)
    rows = list(feature_rows("1s", [bar.start_ns for bar in run.bars], *columns))
    assert len(rows) == len(run.features) == 120
    for row, event, bar in zip(rows, run.features, run.bars, strict=True):
        assert (row.bar_index, row.start_ns, row.end_ns) == (event.bar_index, event.bar.start_ns, event.as_of_ns)
        assert (row.indicators, row.model_inputs, row.sequence) == (
            event.indicators,
            event.model_inputs,
            event.sequence,
        )
        assert (row.returns, row.volatility) == (event.returns, event.volatility)
        assert row.close == event.current_price == event.last_close == bar.close
        assert row.end_ns - row.start_ns == SECOND
