"""The shipped dashboards on a system that runs: no panel is empty."""

from functools import partial
from math import isnan
from pathlib import Path

import pytest

from schemas.broker import wait_until
from tests.operations.dashboards import DASHBOARDS, Query, panel_queries, queries
from tests.operations.watched_system import WatchedSystem

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("operations")]

LOAD_SECONDS, ANSWER_SECONDS = 120.0, 60.0


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_something_after_two_minutes_of_load(watched: WatchedSystem, file: Path) -> None:
    watched.wait_for_load(LOAD_SECONDS)
    for query in queries(file):
        watched.prometheus.query(query.expression)  # is understood
    for query in panel_queries(file):
        wait_until(partial(_says_something, watched, query), seconds=ANSWER_SECONDS, what=str(query))


def _says_something(watched: WatchedSystem, query: Query) -> bool:
    return not all(isnan(sample.value) for sample in watched.prometheus.query(query.expression))
