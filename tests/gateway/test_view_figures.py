"""What a scrape of the gateway says of its views."""

import pytest

from gateway.parts import Parts
from gateway.problems import ProblemError
from gateway.view_figures import OLDEST_TICKERS, ViewFigures
from schemas.events import ServiceState
from tests.gateway.samples import NOON_NS, make_parts, prediction, publish
from tests.gateway.scraping import scraped

NS = 1_000_000_000


def watched(parts: Parts) -> Parts:
    parts.instruments.show(ViewFigures(parts))
    return parts


def test_nothing_is_claimed_of_what_is_not_known_yet() -> None:
    said = scraped(watched(make_parts()))
    assert said["tickcast_ready_services"] == {(): 0.0}
    assert not {name for name in said if "age" in name}
    assert not {name for name in said if "redis_servers" in name}, "none is configured"


def test_a_gateway_in_an_outage_does_not_count_as_ready() -> None:
    parts = watched(make_parts())
    for state, ready in ((ServiceState.READY, 1.0), (ServiceState.DEGRADED, 0.0), (ServiceState.READY, 1.0)):
        parts.board.set_state(state)
        assert scraped(parts)["tickcast_ready_services"] == {(): ready}


def test_the_newest_age_is_of_all_and_the_oldest_of_a_few_tickers_that_wait_long() -> None:
    waits = {f"T{number}": number * 10 for number in range(40)}  # up to 390 s
    parts = watched(
        make_parts(*(prediction(ticker, ingested_at_ns=NOON_NS - wait * NS) for ticker, wait in waits.items()))
    )
    said = scraped(parts)
    assert said["tickcast_newest_prediction_age_seconds"] == {(): 0.0}
    longest = {(f"T{number}",): number * 10.0 for number in range(40 - OLDEST_TICKERS, 40)}
    assert said["tickcast_oldest_prediction_age_seconds"] == longest
    publish(parts, prediction("T39", offset=1, ingested_at_ns=NOON_NS))
    assert ("T39",) not in scraped(parts)["tickcast_oldest_prediction_age_seconds"]


def test_no_ticker_is_named_while_none_waits_long() -> None:
    parts = watched(
        make_parts(*(prediction(f"T{number}", ingested_at_ns=NOON_NS - number * NS) for number in range(60)))
    )
    assert "tickcast_oldest_prediction_age_seconds" not in scraped(parts)


async def test_a_database_that_is_away_is_said() -> None:
    parts = watched(make_parts(database_url="sqlite:////proc/nowhere/history.db"))
    assert scraped(parts)["tickcast_reachable_databases"] == {(): 1.0}
    with pytest.raises(ProblemError):
        await parts.archive.ask(lambda _: None)
    assert scraped(parts)["tickcast_reachable_databases"] == {(): 0.0}
    parts.close()
