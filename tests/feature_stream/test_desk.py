"""What a worker holds of two logs: what it keeps, where it reads on, what it pauses, who lives beside it."""

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock, call

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from feature_stream.ledger import SettleRecord, SettleRules, TickerLedger
from feature_stream.membership import Membership
from feature_stream.outcomes import tenancy
from feature_stream.outcomes.checkpoint import DeskCheckpointer
from feature_stream.outcomes.desk import Desk
from feature_stream.outcomes.events import Problem, read
from feature_stream.outcomes.figures import SettleFigures
from feature_stream.outcomes.forecasts import ForecastBook
from feature_stream.outcomes.live import LiveSettling
from feature_stream.outcomes.positions import start_positions
from feature_stream.outcomes.settings import OutcomesSettings
from feature_stream.outcomes.sources import MOST_WAITING, Source, Throttle
from feature_stream.outcomes.watch import DeskWatch
from feature_stream.progress import Flow, Silence
from feature_stream.settle import PassedOver
from feature_stream.table import partition_key, with_offset
from feature_stream.tick_client import TickRecord
from feature_stream.turns import Side
from schemas.codec import encode
from schemas.errors import StopAndSayError
from schemas.events import Bar, Prediction
from schemas.status import StatusBoard
from tests.feature_stream.settling import bar, prediction

TOPICS = {Side.BARS: "p.bars", Side.PREDICTIONS: "p.predictions"}
BARS_0, PREDICTIONS_0 = TP("p.bars", 0), TP("p.predictions", 0)


def _record(offset: int, event: Bar | Prediction | bytes) -> TickRecord:
    value = event if isinstance(event, bytes) else encode(event)
    return TickRecord(0, offset, 1_000 + offset, b"A", value, [])


class Setting:
    """A desk with one partition, of which both logs are read from a given record on."""

    def __init__(self, record: SettleRecord | None = None, *ledgers: TickerLedger) -> None:
        self.registry = CollectorRegistry()
        self.figures = SettleFigures(self.registry)
        self.outputs = MagicMock()
        rules = SettleRules("1m")
        self.book = ForecastBook(rules, registry=self.registry)
        self.desk = Desk(rules, 1, self.outputs, self.figures, self.book)
        self.live = LiveSettling(record or SettleRecord(0), {ledger.ticker: ledger for ledger in ledgers}, 1)
        self.desk.own(0, self.live)

    def positions(self, *, earliest: tuple[int, int] = (0, 0), ends: tuple[int, int] = (99, 99)) -> dict[TP, int]:
        tps = (BARS_0, PREDICTIONS_0)
        first, last = dict(zip(tps, earliest, strict=True)), dict(zip(tps, ends, strict=True))
        return start_positions(self.desk, self.figures, TOPICS, first, last)

    def take(self, side: Side, *records: TickRecord) -> bool:
        event = SimpleNamespace(message=SimpleNamespace(partition=0))
        gap = self.desk.take(event, side, records)
        self.desk.settle(float("inf"))
        return gap

    def shown(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"tickcast_{name}", labels)


def _settled(setting: Setting) -> list[str]:
    return [sent.args[0].id for sent in setting.outputs.send_outcome.call_args_list]


def test_what_comes_of_both_logs_is_settled_counted_and_cut() -> None:
    setting = Setting()
    assert setting.positions() == {BARS_0: 0, PREDICTIONS_0: 0}
    assert setting.desk.cut(0) is None
    setting.take(Side.PREDICTIONS, _record(0, prediction(1, horizons=[1, 5])))
    assert setting.live.record.predictions_offset == -1, "its bar is on the way"
    setting.take(Side.BARS, _record(0, bar(1)), _record(1, bar(2)))
    assert _settled(setting) == ["A:1m:2024-01-01T00:00:00Z:h1"]
    assert setting.shown("outcomes_total", reason="scored") == 1
    assert setting.figures.totals["bars"] == 2
    cut = setting.desk.cut(0)
    assert cut is not None
    assert cut.offset == 1 + 0
    assert [(key, offset) for key, offset, _ in cut.tickers] == [(b"A", 1)]
    assert SettleRecord.restore(cut.record) == SettleRecord(0, 1, 0, 2, 1, {"A": (1, 0)})
    assert setting.desk.cut(0) is None
    assert setting.desk.open_predictions() == 1


def test_a_gap_in_one_log_is_told_and_the_other_goes_on() -> None:
    setting = Setting()
    setting.positions()
    assert setting.take(Side.BARS, _record(1, bar(2)))
    assert not setting.take(Side.BARS, _record(2, bar(3)))
    assert [number for number, _ in Source(setting.desk, Side.BARS).waiting()] == [0]
    assert list(Source(setting.desk, Side.PREDICTIONS).waiting()) == []
    setting.take(Side.BARS, _record(0, bar(1)), _record(1, bar(2)), _record(2, bar(3)))
    assert setting.live.record.bars_offset == 2
    assert setting.shown("gaps_total") == 1


def test_nothing_is_taken_before_it_is_known_from_where() -> None:
    setting = Setting()
    assert not setting.take(Side.BARS, _record(5, bar(1)))
    setting.desk.drop_all()
    assert not setting.take(Side.BARS, _record(0, bar(1)))


def test_what_cannot_be_understood_is_kept_and_passed() -> None:
    setting = Setting()
    setting.positions()
    setting.take(Side.PREDICTIONS, _record(0, b"{}"))
    [letter] = [sent.args[0] for sent in setting.outputs.send_dead_letter.call_args_list]
    assert (letter.id, letter.reason.split(":")[0]) == ("predictions:0:0", "undecodable")
    assert setting.live.record.predictions_offset == 0
    assert setting.shown("dead_letters_total", reason="undecodable") == 1
    assert setting.desk.cut(0) is not None


def test_each_reason_for_a_dead_letter_is_shown_as_0_before_there_is_one() -> None:
    setting = Setting()
    assert {problem: setting.shown("dead_letters_total", reason=problem) for problem in Problem} == dict.fromkeys(
        ["undecodable", "ticker", "partition", "price", "time", "bar_index"], 0
    )


@pytest.mark.parametrize(
    ("side", "event", "problem"),
    [
        (Side.BARS, bar(1, close=0.0), "price"),
        (Side.BARS, bar(1, "x"), "ticker"),
        (Side.BARS, bar(0), "bar_index"),
        (Side.BARS, bar(1, end_ns=2**62), "time"),
        (Side.PREDICTIONS, prediction(1, current_price=1e16), "price"),
        (Side.PREDICTIONS, prediction(2**62, as_of_ns=0, current_price=1.0, source_offset=1), "bar_index"),
        (Side.PREDICTIONS, prediction(1, source_offset=-1), "time"),
    ],
)
def test_an_event_that_makes_no_sense_is_none(side: Side, event: Bar | Prediction, problem: str) -> None:
    waiting = read(side, _record(0, event), 1)
    assert waiting.event is None
    assert waiting.problem.split(":")[0] == problem
    assert waiting.place == -1


def test_it_is_read_on_after_what_the_state_holds_and_losses_are_counted() -> None:
    setting = Setting(SettleRecord(0, bars_offset=9, predictions_offset=4))
    assert setting.positions(earliest=(3, 8)) == {BARS_0: 10, PREDICTIONS_0: 8}
    assert setting.shown("records_lost_total") == 3
    setting.take(Side.BARS, _record(10, bar(1)))
    assert setting.positions(earliest=(0, 0)) == {BARS_0: 11, PREDICTIONS_0: 8}


def test_a_first_start_begins_where_the_logs_do_and_loses_nothing() -> None:
    setting = Setting()
    assert setting.positions(earliest=(3, 8)) == {BARS_0: 3, PREDICTIONS_0: 8}
    assert setting.shown("records_lost_total") == 0


def test_a_state_beyond_the_end_of_a_log_is_of_another_one() -> None:
    setting = Setting(SettleRecord(0, bars_offset=9, predictions_offset=4))
    with pytest.raises(StopAndSayError, match=r"predictions-0 ends at 4, before the state's offset 5"):
        setting.positions(ends=(10, 4))


def test_a_lost_ledger_is_read_again_from_where_its_older_self_stands() -> None:
    record = SettleRecord(0, 90, 80, kept={"A": (70, 60), "B": (90, 80)})
    setting = Setting(record, TickerLedger("A", 0, 70, 50), TickerLedger("B", 0, 90, 80))
    assert setting.positions() == {BARS_0: 71, PREDICTIONS_0: 51}
    setting.take(Side.BARS, _record(71, bar(1)))
    assert setting.live.record.bars_offset == 71


def test_the_table_gives_the_desk_back_what_it_kept() -> None:
    setting = Setting()
    setting.positions()
    setting.take(Side.BARS, _record(0, bar(1)))
    setting.take(Side.PREDICTIONS, _record(0, prediction(1)))
    cut = setting.desk.cut(0)
    assert cut is not None
    kept = {key: with_offset(offset, snapshot) for key, offset, snapshot in cut.tickers}
    kept[partition_key(0)] = with_offset(cut.offset, cut.record)
    table = MagicMock(outlived={b"A"}, items=kept.items)
    membership = MagicMock(generation=7)
    parts: Any = (setting.desk, table, setting.outputs, membership, setting.figures)
    checkpointer = DeskCheckpointer(*parts, topics=TOPICS, partitions=1)
    before = setting.live
    checkpointer.load({0})
    after = setting.desk.partitions[0]
    assert after is not before
    assert (after.record, after.ledgers, after.generation) == (before.record, before.ledgers, 7)
    assert after.dirty == {"A"}
    assert checkpointer._next_offsets(cut) == {BARS_0: 1, PREDICTIONS_0: 1}
    checkpointer.load(set())
    assert setting.desk.partitions == {}


async def test_a_log_of_which_much_waits_is_paused_and_goes_on_at_half_of_it() -> None:
    setting, consumer = Setting(), MagicMock(hold=AsyncMock())
    throttle = Throttle(setting.desk, MagicMock(consumer=consumer), TOPICS, lambda work: work)
    setting.positions()
    queue = setting.live.turns.queues[Side.PREDICTIONS]

    async def held(count: int, now: float) -> list[tuple[TP, bool]]:
        consumer.hold.reset_mock()
        queue.clear()
        queue.extend(read(Side.PREDICTIONS, _record(at, prediction(at + 1)), 1) for at in range(count))
        throttle.look(now)
        while throttle._tasks:
            await asyncio.sleep(0)
        return [(order.args[0], order.kwargs["held"]) for order in consumer.hold.call_args_list]

    assert await held(MOST_WAITING - 1, 10.0) == []
    assert await held(MOST_WAITING, 10.1) == [(PREDICTIONS_0, True)]
    assert await held(MOST_WAITING, 10.2) == []
    assert await held(MOST_WAITING, 11.2) == [(PREDICTIONS_0, True)], "a rewind may have ended the pause"
    assert await held(MOST_WAITING // 2 + 1, 11.3) == []
    assert await held(MOST_WAITING // 2, 11.4) == [(PREDICTIONS_0, False)]
    assert await held(MOST_WAITING // 2, 12.5) == []


async def test_a_tenant_lives_where_partition_0_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenancy, "_END_SECONDS", 0.01)
    someone, stubborn, failing = AsyncMock(), AsyncMock(stop=_for_ever), AsyncMock()
    failing.stop.side_effect = ValueError("broken")
    home = tenancy.Tenancy([stubborn, failing, someone])
    await home.works({1, 2})
    await home.end()
    assert someone.mock_calls == []
    for _ in range(2):
        await home.works({0, 1})
    for _ in range(2):
        await home.end()
    await home.works({0})
    assert someone.mock_calls == [call.start(), call.stop(), call.start()]


async def _for_ever() -> None:
    await asyncio.Event().wait()


def test_every_reason_of_what_is_passed_over_is_shown_from_the_start() -> None:
    setting = Setting()
    assert {setting.shown("settling_passed_over_total", reason=reason) for reason in PassedOver} == {0}
    setting.positions()
    setting.take(Side.BARS, _record(0, bar(1)), _record(1, bar(1)))
    assert setting.shown("settling_passed_over_total", reason="bar_repeated") == 1
    assert setting.figures.all_totals()["passed_over"] == 1


async def test_what_waits_for_the_other_log_is_a_lag_and_no_silence() -> None:
    setting, board = Setting(), StatusBoard("outcomes", "a")
    setting.positions()
    tens = dict.fromkeys((BARS_0, PREDICTIONS_0), 10)
    zeros = AsyncMock(return_value=dict.fromkeys(tens, 0))
    consumer = MagicMock(highwaters=AsyncMock(return_value=tens), earliest_offsets=zeros)
    consumer.assignment.return_value = tens.keys()
    consumer.highwater.return_value = 10
    consumer.flow.return_value = Flow()
    consumer.rewind, consumer.hold = AsyncMock(), AsyncMock()
    watch = DeskWatch(
        OutcomesSettings(_env_file=None),
        setting.desk,
        setting.figures,
        MagicMock(consumer=consumer),
        TOPICS,
        board=board,
        membership=Membership(10.0),
        guard=lambda work: work,
    )
    setting.take(Side.PREDICTIONS, *(_record(at, prediction(at + 1)) for at in range(10)))
    first, second = watch._tell(1.0, 100.0), watch._tell(1.0, 160.0)
    assert (first.silence, second.silence) == (Silence(0, 10, 0.0, "bars"), Silence(0, 10, 60.0, "bars"))
    assert first.asked == "bars and predictions"
    event = board.event()
    assert (event.lag_records, event.totals["outcomes"], event.rates["outcomes"]) == (20, 0, 0.0)
    assert setting.shown("lag_records", topic="predictions") == 10
    assert setting.shown("held_records", topic="predictions") == 10
    assert setting.shown("held_records", topic="bars") == 0
    assert setting.shown("partitions") == 1
    setting.take(Side.BARS, *(_record(at, bar(at + 1)) for at in range(10)))
    third = watch._tell(1.0, 161.0)
    assert third.silence == Silence(0, 0, 0.0, "bars")
    assert setting.shown("held_records", topic="predictions") == 0
    assert setting.shown("open_predictions") == 10
    assert board.event().rates["outcomes"] == setting.figures.totals["outcomes"] == 9 + 5
