"""Requests that a plan allows."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.live.budget import Budget, turn_ns, windows
from ingestor.sources.live.provider import BudgetSpentError, Limits
from schemas.errors import StopAndSayError
from tests.ingestor.clocks import ManualClock


def _budget(folder: Path, clock: ManualClock, limits: Limits) -> Budget:
    return Budget("fake", limits, folder, lambda: int(clock.seconds * 1e9), clock.sleep)


@given(
    st.builds(Limits, per_second=st.integers(1, 3), per_minute=st.integers(1, 20), per_day=st.integers(1, 50)),
    st.lists(st.floats(0, 30), max_size=60),
)
def test_no_stretch_of_time_holds_more_than_its_limit(limits: Limits, pauses: list[float]) -> None:
    sent: list[int] = []
    now_ns = 10**18
    for pause in pauses:
        now_ns += int(pause * 1e9)
        now_ns = turn_ns(sent, limits, now_ns)
        sent.append(now_ns)
    for count, length_ns in windows(limits):
        assert all(later - earlier >= length_ns for earlier, later in zip(sent, sent[count:], strict=False))


def test_a_request_waits_for_its_turn(tmp_path: Path) -> None:
    clock = ManualClock()
    budget = _budget(tmp_path, clock, Limits(per_minute=2))

    async def take_three() -> None:
        for _ in range(3):
            await budget.take()

    asyncio.run(take_three())
    assert clock.slept == [60.0]


def test_the_day_is_spent_across_restarts_and_comes_back_after_24_hours(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(3):
        asyncio.run(_budget(tmp_path, clock, Limits(per_day=3)).take())
    budget = _budget(tmp_path, clock, Limits(per_day=3))
    assert budget.left_today() == 0
    with pytest.raises(BudgetSpentError, match="1970-01-02T00:16:40Z"):
        asyncio.run(budget.take())
    assert clock.slept == []
    clock.seconds += 86_400
    asyncio.run(budget.take())
    assert budget.left_today() == 2


def test_a_withheld_request_is_not_counted(tmp_path: Path) -> None:
    clock = ManualClock()
    budget = _budget(tmp_path, clock, Limits(per_day=1))
    asyncio.run(budget.take())
    for _ in range(5):
        with pytest.raises(BudgetSpentError):
            asyncio.run(budget.take())
    clock.seconds += 86_400
    assert budget.left_today() == 1


def test_a_broken_count_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "fake.json").write_text("[1, tw")
    with pytest.raises(StopAndSayError, match=r"fake\.json"):
        asyncio.run(_budget(tmp_path, ManualClock(), Limits(per_day=3)).take())


@pytest.mark.parametrize("in_the_way", ["fake.json", "fake.json.partial", "fake.lock"])
def test_what_cannot_be_counted_is_not_sent_until_it_can(tmp_path: Path, in_the_way: str) -> None:
    budget = _budget(tmp_path, ManualClock(), Limits(per_day=3))
    (tmp_path / in_the_way).mkdir()
    with pytest.raises(BudgetSpentError, match=r"fake\.json: Is a directory: what cannot be counted is not sent"):
        asyncio.run(budget.take())
    if in_the_way != "fake.json.partial":
        assert budget.left_today() == 0
    (tmp_path / in_the_way).rmdir()
    asyncio.run(budget.take())
    assert budget.left_today() == 2


def test_a_count_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget, synced = _budget(tmp_path, ManualClock(), Limits(per_day=3)), []

    def sync(number: int) -> None:
        assert not (tmp_path / "fake.json").exists()
        synced.append(os.fstat(number).st_size)

    monkeypatch.setattr("os.fsync", sync)
    asyncio.run(budget.take())
    assert synced == [(tmp_path / "fake.json").stat().st_size]


def test_each_limit_has_its_own_rest(tmp_path: Path) -> None:
    clock = ManualClock()
    budget = _budget(tmp_path, clock, Limits(per_minute=3, per_day=4))
    for _ in range(3):
        asyncio.run(budget.take())
    assert budget.left() == {"minute": 0, "day": 1}
    clock.seconds += 60
    assert budget.left() == {"minute": 3, "day": 1}
    assert _budget(tmp_path, clock, Limits()).left() == {}
