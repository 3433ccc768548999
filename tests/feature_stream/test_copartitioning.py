"""A partition of `bars`, of `predictions` and of the changelog go to one worker: Faust's assignor sees to that."""

import random
from collections.abc import Mapping
from typing import Any
from unittest.mock import MagicMock, Mock

import faust
import pytest
from faust.assignor.partition_assignor import PartitionAssignor

from feature_stream.outcomes.transport import SOURCES
from feature_stream.table import state_table
from schemas.topics import OPEN_PREDICTIONS_CHANGELOG, OPEN_PREDICTIONS_TABLE, OUTCOMES_STAGE

PREFIX = "p."
PARTITIONS = 8


def _assignor(replicas: int) -> PartitionAssignor:
    app = faust.App(f"{PREFIX}{OUTCOMES_STAGE}", broker="kafka://127.0.0.1:1", store="memory://", datadir="var/never")
    state_table(app, Mock(), PARTITIONS, Mock(), name=OPEN_PREDICTIONS_TABLE, changelog=OPEN_PREDICTIONS_CHANGELOG)
    return PartitionAssignor(app, replicas)


def _share(members: Mapping[str, PartitionAssignor]) -> dict[str, dict[str, set[int]]]:
    """Let the first member share out, as the group's leader does; give each one's active partitions by topic."""
    topics = {PREFIX + topic.name for topic in (*SOURCES, OPEN_PREDICTIONS_CHANGELOG)}
    cluster = MagicMock(partitions_for_topic=lambda _: set(range(PARTITIONS)))
    subscribed = {name: member.metadata(topics) for name, member in members.items()}
    shares: Mapping[str, Any] = next(iter(members.values())).assign(cluster, subscribed)
    given = {}
    for name, member in members.items():
        member.on_assignment(shares[name])
        actives = member.assigned_actives()
        given[name] = {topic: {tp.partition for tp in actives if tp.topic == topic} for topic in topics}
    return given


@pytest.mark.parametrize("replicas", [0, 1])
def test_whoever_comes_and_goes_the_three_stay_together(replicas: int, rng: random.Random) -> None:
    members: dict[str, PartitionAssignor] = {}
    for step in range(30):
        if len(members) < 2 or (len(members) < 5 and rng.random() < 0.5):
            members[f"member-{step}"] = _assignor(replicas)
        else:
            del members[rng.choice(sorted(members))]
        held: list[int] = []
        for by_topic in _share(members).values():
            assert len(by_topic) == 3
            [theirs] = {frozenset(partitions) for partitions in by_topic.values()}
            held += theirs
        assert sorted(held) == list(range(PARTITIONS))


def test_the_changelog_is_called_as_faust_calls_it() -> None:
    [table] = _assignor(0).app.tables.data.values()
    assert table.changelog_topic_name == PREFIX + OPEN_PREDICTIONS_CHANGELOG.name
