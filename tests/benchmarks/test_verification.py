"""A contestant that does other work is found out."""

import copy

from benchmarks.feature_stage.contestants import BYTEWAX_TICKS, TICKCAST, TICKCAST_TICKS
from benchmarks.feature_stage.inputs import FlatTick, records, singles
from benchmarks.feature_stage.verification import Words, differences, expected_words
from benchmarks.market import Market
from feature_stream.advance import StageRules
from schemas.codec import decoder

_MARKET = Market(
    tickers=12, ticks=1_536, frame_ticks=32, rate_per_second=12 * 8 / 60, warm_up_bars=40, watermarks=False
)
_RULES = StageRules(interval="1m", partitions=4)


def said() -> Words:
    """Give what a contestant says that says everything once: the last word of each ticker is provisional."""
    words = expected_words(_MARKET.frames(), _RULES)
    last = {content["ticker"]: (name, content) for name, content in words.said.items()}
    words.said = dict(last.values())
    words.said_at_ns = {ticker: [0] for ticker in last}
    return words


def expected() -> Words:
    return expected_words(_MARKET.frames(), _RULES)


def test_the_same_work_has_no_differences() -> None:
    assert len(expected().finals) > 2 * 12 * 40
    assert differences(said(), expected()) == []


def test_a_missing_bar_is_found() -> None:
    heard = said()
    del heard.finals[min(heard.finals)]
    assert differences(heard, expected()) == [f"1 final events are missing, like {min(expected().finals)}"]


def test_another_price_is_found() -> None:
    heard = copy.deepcopy(said())
    name = next(name for name in heard.finals if name.endswith(":final"))
    heard.finals[name]["current_price"] += 0.01
    assert differences(heard, expected()) == [f"1 final events are wrong, like {name}"]


def test_a_provisional_feature_that_the_log_does_not_bear_out_is_found() -> None:
    heard = copy.deepcopy(said())
    name = min(heard.said)
    heard.said[name]["indicators"]["rsi_14"] = 1.0
    assert differences(heard, expected()) == [f"1 provisional events are wrong, like {name}"]


def test_silence_and_haste_are_found() -> None:
    heard = said()
    silent, hasty = sorted(heard.said_at_ns)[:2]
    del heard.said_at_ns[silent]
    heard.said_at_ns[hasty] = [number * 100_000_000 for number in range(30)]
    assert differences(heard, expected()) == [
        f"1 tickers had no provisional features, like {silent}",
        f"{hasty} spoke too often",
    ]


def test_every_shape_of_input_carries_the_same_ticks() -> None:
    partition, frame = next(_MARKET.frames())
    (whole,) = records(TICKCAST, partition, frame)
    flat = [decoder(FlatTick)(record.value) for record in records(BYTEWAX_TICKS, partition, frame)]
    alone = list(singles(frame, 7))
    assert whole.ticks == len(flat) == len(alone) == len(list(records(TICKCAST_TICKS, partition, frame, 7)))
    assert [tick.ticker for tick in flat] == frame.tickers == [single.tickers[0] for single in alone]
    assert [tick.price for tick in flat] == frame.prices == [single.prices[0] for single in alone]
    assert [single.sequence for single in alone] == list(range(7, 7 + len(alone)))
