"""Ten thousand ticks and hundreds of bars a ticker, with everything that goes wrong: what drifts shows late."""

import random
from collections import Counter

import pytest

from schemas.events import TickFrame
from tests.feature_stream.expected import Expected
from tests.feature_stream.frame_writer import SOURCES, FrameWriter
from tests.feature_stream.runs import Run, Tick, rules
from tests.feature_stream.said import assert_same_features, by_ticker

TICKS = 12_000
NAMES = "ABC"
#: Ticks that two sources gather before they send.
GATHERED = 8


def market(rng: random.Random) -> list[Tick]:
    """Random walks, a tick each 30 ms or so; now and then the market is quiet for seconds."""
    prices = dict.fromkeys(NAMES, 100.0)
    time, ticks = 0.0, []
    for _ in range(TICKS):
        time += rng.expovariate(30) + (rng.random() < 0.001) * rng.uniform(1, 30)
        name = rng.choice(NAMES)
        prices[name] *= 1 + rng.gauss(0, 0.004)
        ticks.append((name, round(time, 6), prices[name], float(rng.randrange(1, 100))))
    return ticks


def troubled_log(rng: random.Random) -> list[TickFrame]:
    """Give the market as two sources send it: delayed, twice, ahead of its time, with watermarks that mostly hold."""
    writer, ticks = FrameWriter(), market(rng)
    arriving = sorted(ticks, key=lambda tick: tick[1] + rng.choice((0, 0, 0, 0.2, 1, 3)))
    gathered: dict[str, list[Tick]] = {source: [] for source in SOURCES}
    for name, time, price, size in arriving:
        # The second source knows nothing of C and is silent for a third of the time.
        source = "two" if name != "C" and not 100 < time < 250 and rng.random() < 0.4 else "one"
        ahead = rng.choice((5.0, 500.0)) if rng.random() < 0.002 else 0.0
        gathered[source].append((name, time + ahead, price, size))
        if len(gathered[source]) < GATHERED:
            continue
        writer.send(gathered[source], source=source, watermark=time - 3.5 if rng.random() < 0.2 else None)
        if rng.random() < 0.05:
            writer.send(gathered[source][:2], source=source)
        if rng.random() < 0.05:
            writer.frames.append(rng.choice(writer.frames[-20:]))
        gathered[source] = []
    return writer.frames


@pytest.mark.parametrize("lateness", [0.0, 2.5])
def test_hundreds_of_bars_later_all_is_still_what_the_whole_log_says(rng: random.Random, lateness: float) -> None:
    log, stage_rules = troubled_log(rng), rules(lateness=lateness, early=40.0)
    run, expected = Run(stage_rules), Expected(log, stage_rules)
    words = sorted(rng.sample(range(len(log)), 20))
    for offset, one in enumerate(log):
        run.take(one)
        if offset in words:
            run.through_snapshots()
            for ticker in run.states:
                said, known = run.speak(ticker), expected.provisional(ticker, offset)
                assert_same_features([said] if said else [], [known] if known else [])
    assert [(offset, index, reason.split(":")[0]) for offset, index, reason in run.bad] == expected.reference.bad
    assert by_ticker(run.bars) == expected.bars()
    for ticker, finals in expected.finals().items():
        assert_same_features(by_ticker(run.features)[ticker], finals)
    assert min(len(bars) for bars in expected.bars().values()) > 300
    assert expected.reference.repeated
    assert Counter(reason for _, _, reason in expected.reference.bad).keys() == {"late", "early"}
