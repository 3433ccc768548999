"""The report counts what the services log."""

from tests.chaos.plan import plan
from tests.chaos.report import healings, report


def test_each_healing_is_counted_once_by_its_own_words() -> None:
    output = "\n".join(
        (
            "E LostPlaceError: lost the place in the group, now 4: this process ends itself and begins again",
            "E DeliveryError: the broker did not take a record: timed out: this process ends itself and begins again",
            "E the process stood still for 7.5 s: this process ends itself and begins again",
            "W ticks-3: a record is missing: reading again from 17",
            "W ticks-3: a record is missing: reading again from 18",
            "I partition 3: 12 tickers, offset 17",
        )
    )
    assert healings([output, ""]) == {
        "ended itself: LostPlaceError": 1,
        "ended itself: DeliveryError": 1,
        "ended itself: stood still": 1,
        "gap: read again": 2,
    }


def test_the_report_says_the_seed_and_counts_all_disturbances() -> None:
    text = report(12, plan(12, 40), [], ["a fact"])
    assert "seed 12: 40 disturbances" in text
    assert text.endswith("a fact")
