"""`tickcast sources` without a broker: what it is asked, what it shows, whose command it is."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from ingestor.commanding.arguments import command_of, parse
from ingestor.commanding.listing import playing_lines, playing_row, provider_lines
from ingestor.commanding.playing import playing_now, require_changeable
from ingestor.commanding.providers import ProviderRow, look_at
from ingestor.sources.live.settings import LiveSettings
from schemas.errors import StopAndSayError
from schemas.events import ServiceState, ServiceStatus, SourceStatus
from schemas.times import NS_PER_SECOND
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import KEY, SECRET

_NOW_NS = 1_795_619_000 * NS_PER_SECOND
_LIVE = SourceStatus(
    source="live",
    plays="alpaca,yahoo",
    changeable=True,
    tickers=["AAPL", "MSFT"],
    paused_ns={"MSFT": 1},
    last_tick_ns=_NOW_NS - 5,
    latency_seconds=0.0421,
)
_REPLAY = SourceStatus(source="replay", plays="replay", changeable=False)


def said(*sources: SourceStatus, **changes: Any) -> ServiceStatus:
    values: dict[str, Any] = {
        "service": "ingestor",
        "instance": "one",
        "version": "1",
        "state": ServiceState.READY,
        "started_at_ns": 1,
        "updated_at_ns": _NOW_NS,
        "memory_bytes": 1,
        "sources": list(sources),
    }
    return ServiceStatus(**values | changes)


def test_a_command_has_what_the_words_say() -> None:
    command = command_of(parse(["pause", "aapl", "MSFT"]), "live", "person/1", "cli/ann", 7)
    assert (command.action, command.tickers, command.source) == ("pause", ["AAPL", "MSFT"], "live")
    assert (command.id, command.requested_by, command.requested_at_ns) == ("person/1", "cli/ann", 7)
    assert parse(["remove"]).tickers == []
    assert parse([]).command is None


@pytest.mark.parametrize("words", [["add"], ["add", "$"], ["stop", "AAPL"], ["add", "AAPL", "--wait", "0"]])
def test_words_that_cannot_be_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(words)


def test_a_command_is_for_the_live_source_that_plays() -> None:
    other = said(structs.replace(_LIVE, source="west", plays="polygon"), instance="two")
    playing = playing_now([said(_REPLAY, instance="three"), said(_LIVE), other], _NOW_NS)
    for name, found in {"": "live", "live": "live", "yahoo": "live", "west": "west", "polygon": "west"}.items():
        assert require_changeable(playing, name).source == found


@pytest.mark.parametrize(
    ("sources", "name", "words"),
    [
        ([], "", "no ingestor has reported lately"),
        ([_REPLAY], "", "the tickers of replay cannot be changed"),
        ([_REPLAY, _LIVE], "replay", "live sources that play: live"),
        ([_LIVE], "polygon", "does not play; live sources that do: live"),
    ],
)
def test_who_takes_no_command_is_said_with_those_who_do(sources: list[SourceStatus], name: str, words: str) -> None:
    playing = playing_now([said(*sources)], _NOW_NS)
    with pytest.raises(StopAndSayError, match=words):
        require_changeable(playing, name)


def test_only_the_newest_word_of_each_ingestor_counts_and_who_is_silent_or_stops_does_not_play() -> None:
    older = said(structs.replace(_LIVE, tickers=["OLD"]), updated_at_ns=_NOW_NS - NS_PER_SECOND)
    [playing] = playing_now([older, said(_LIVE)], _NOW_NS)
    assert playing.source.tickers == ["AAPL", "MSFT"]
    assert playing_now([said(_LIVE)], _NOW_NS + 16 * NS_PER_SECOND) == []
    assert playing_now([said(_LIVE), said(_LIVE, state=ServiceState.STOPPING)], _NOW_NS) == []


def test_the_tables_tell_all_and_nothing_in_them_moves_the_cursor() -> None:
    status = said(_LIVE, _REPLAY, message="live\x1b[2J prices")
    heading, live, replay = playing_lines([playing_row(each) for each in playing_now([status], _NOW_NS)])
    assert heading.split()[0] == "PLAYS"
    for part in (
        "alpaca,yahoo",
        "AAPL, MSFT (paused)",
        "2026-11-25T15:03:19Z",
        "0.042 s",
        r"ready: live\x1b[2J prices",
    ):
        assert part in live
    assert "those of its settings" in replay
    rows = [
        ProviderRow(source="a", key="yes", left={"minute": 5, "day": 7}),
        ProviderRow(source="b", key="no", note="set B_KEY"),
    ]
    assert [line.split() for line in provider_lines(rows)][1:] == [
        ["a", "yes", "not", "asked", "5/minute,", "7/day", "-"],
        ["b", "no", "not", "asked", "-", "set", "B_KEY"],
    ]


async def test_a_provider_is_asked_once_where_its_key_is_there_and_the_key_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = LiveSettings(_env_file=None, source_budget_directory=tmp_path)
    fake = FakeAlpaca()
    async with fake.running():
        monkeypatch.setenv("TICKCAST_ALPACA_DATA_URL", f"http://127.0.0.1:{fake.port}")
        for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
            monkeypatch.delenv(name, raising=False)
        [row] = await look_at(["alpaca"], settings, ask=True)
        assert (row.key, row.reachable) == ("no", "not asked")
        assert "APCA_API_KEY_ID" in row.note
        monkeypatch.setenv("APCA_API_KEY_ID", KEY)
        monkeypatch.setenv("APCA_API_SECRET_KEY", SECRET)
        [row] = await look_at(["alpaca"], settings, ask=False)
        assert (row.key, row.reachable, fake.requests) == ("yes", "not asked", [])
        [row] = await look_at(["alpaca"], settings, ask=True)
        assert (row.key, row.reachable, len(fake.requests), row.left) == ("yes", "yes", 1, {"minute": 199})
        fake.answers = [(500, None)]
        [row] = await look_at(["alpaca"], settings, ask=True)
        assert (row.reachable, len(fake.requests)) == ("no", 2), "one that fails is not sent again"
        monkeypatch.setenv("APCA_API_SECRET_KEY", f"{SECRET}x")
        [refused] = await look_at(["alpaca"], settings, ask=True)
        assert refused.reachable == "refused"
        (tmp_path / "alpaca.json").unlink()
        (tmp_path / "alpaca.json").mkdir()
        [row] = await look_at(["alpaca"], settings, ask=True)
        assert (row.left, len(fake.requests)) == ({}, 3)
        assert "what cannot be counted is not sent" in row.note
    shown = str([row, refused])
    assert KEY not in shown
    assert SECRET not in shown
