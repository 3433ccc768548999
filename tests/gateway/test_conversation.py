"""What a client says, and what it hears."""

import contextlib
import dataclasses
import json
import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands import RefusedError, read_command
from gateway.conversation import Conversation
from gateway.hub import Subscriber
from gateway.mailbox import Mailbox
from gateway.messages import Message
from gateway.parts import Parts
from gateway.streams import Stream
from schemas.sockets import ClientMessage
from tests.gateway.contract import read_message
from tests.gateway.samples import DAY_NS, NOON_NS, bar, horizon, make_parts, prediction, publish, publish_bar


class Talk:
    """A conversation without sockets."""

    def __init__(self, parts: Parts, stream: Stream[Any] | None = None) -> None:
        self.parts = parts
        self.stream = stream or parts.predictions
        self.subscriber: Subscriber = parts.hub.join(self.stream.audience, Mailbox(parts.settings.client_queue))
        self.conversation = Conversation(self.stream, parts.settings, self.subscriber, parts.clock_ns)

    def say(self, action: str, *tickers: Any, **fields: Any) -> list[dict[str, Any]]:
        return self.say_raw(json.dumps({"action": action, "tickers": tickers, **fields}))

    def say_raw(self, text: str | bytes) -> list[dict[str, Any]]:
        return read(reply() for reply in self.conversation.answer(text))

    def updates(self) -> list[dict[str, Any]]:
        return read(take(self.subscriber.mailbox))


def take(mailbox: Mailbox, maximum_bytes: int = 100_000_000) -> list[Message]:
    messages = mailbox.take(maximum_bytes, 0.0, lambda *_: Message("heartbeat", b""))
    mailbox.sent()
    return messages


def read(messages: Iterable[Message]) -> list[dict[str, Any]]:
    parsed = [
        (message.kind, read_message(message.payload if message.packed else message.payload.decode()))
        for message in messages
    ]
    assert all(kind == message["type"] for kind, message in parsed)
    return [message for _, message in parsed]


def acknowledged(*tickers: str, unknown: Iterable[str] = (), **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"id": None, "epoch": "", "gapless": True, "recovered": None, "lost": []}
    return {"type": "subscribed", "tickers": list(tickers), "unknown": list(unknown), **(values | changes)}


def test_the_acknowledgement_is_the_whole_list_and_the_snapshot_only_what_is_new() -> None:
    talk = Talk(make_parts(prediction("AAPL", 1), prediction("IBM", 1)))
    subscribed, snapshot = talk.say("subscribe", "AAPL")
    assert subscribed == acknowledged("AAPL")
    assert [one["ticker"] for one in snapshot["predictions"]] == ["AAPL"]
    subscribed, snapshot = talk.say("subscribe", "aapl", "ibm")
    assert subscribed["tickers"] == ["AAPL", "IBM"]
    assert [one["ticker"] for one in snapshot["predictions"]] == ["IBM"]
    (subscribed,) = talk.say("unsubscribe", "AAPL")
    assert subscribed["tickers"] == ["IBM"]


def test_an_unknown_ticker_is_said_to_be_unknown_and_comes_when_it_appears() -> None:
    talk = Talk(make_parts(prediction("AAPL", 1)))
    subscribed, snapshot = talk.say("subscribe", "AAPL", "NEW")
    assert subscribed["unknown"] == ["NEW"]
    assert len(snapshot["predictions"]) == 1
    publish(talk.parts, prediction("NEW", 1))
    assert [update["ticker"] for update in talk.updates()] == ["NEW"]


def test_everything_is_a_star_and_takes_the_place_of_names() -> None:
    talk = Talk(make_parts(prediction("AAPL", 1), prediction("IBM", 1)))
    talk.say("subscribe", "AAPL")
    subscribed, snapshot = talk.say("subscribe", "*")
    assert subscribed == acknowledged("*")
    assert [one["ticker"] for one in snapshot["predictions"]] == ["AAPL", "IBM"]
    assert talk.say("subscribe", "IBM")[0]["tickers"] == ["*"]
    (refused,) = talk.say("unsubscribe", "IBM")
    assert (refused["code"], refused["field"]) == ("invalid_message", "tickers")
    assert talk.say("unsubscribe", "*")[0]["tickers"] == []


def test_no_update_is_older_than_the_snapshot_that_it_follows() -> None:
    talk = Talk(make_parts(prediction("AAPL", 1)))
    talk.say("subscribe", "AAPL")
    publish(talk.parts, prediction("AAPL", 2))
    talk.say("unsubscribe", "AAPL")
    publish(talk.parts, prediction("AAPL", 3))
    snapshot = talk.say("subscribe", "AAPL")[1]
    publish(talk.parts, prediction("AAPL", 4))
    assert snapshot["predictions"][0]["source_offset"] == 3
    assert [update["source_offset"] for update in talk.updates()] == [4]


def test_what_is_published_while_a_snapshot_goes_out_comes_after_it_and_nothing_gets_older() -> None:
    tickers = [f"T{number}" for number in range(400)]
    talk = Talk(make_parts(*(prediction(ticker, 1) for ticker in tickers)))
    mailbox = talk.subscriber.mailbox
    mailbox.reply(talk.conversation.answer('{"action": "subscribe", "tickers": ["*"]}'))
    offset, got = 1, []
    while messages := take(mailbox, 1):
        got += read(messages)
        if mailbox.has_replies:
            offset += 1
            for ticker in tickers:
                publish(talk.parts, prediction(ticker, offset))
    assert [message["type"] for message in got[:5]] == ["subscribed", *["snapshot"] * 4]
    heard: dict[str, list[int]] = {ticker: [] for ticker in tickers}
    for one in (one for message in got[1:] for one in message.get("predictions", [message])):
        heard[one["ticker"]].append(one["source_offset"])
    assert all((offsets[0], offsets[-1]) == (1, offset) for offsets in heard.values())
    assert all(before < after for offsets in heard.values() for before, after in pairwise(offsets))


def test_a_large_snapshot_goes_out_a_hundred_tickers_at_a_time_and_says_when_it_is_complete() -> None:
    tickers = [f"T{number}" for number in range(230)]
    talk = Talk(make_parts(*(prediction(ticker) for ticker in tickers)))
    _, *snapshots = talk.say("subscribe", "*")
    assert [len(snapshot["predictions"]) for snapshot in snapshots] == [100, 100, 30]
    assert [snapshot["complete"] for snapshot in snapshots] == [False, False, True]
    assert [one["ticker"] for snapshot in snapshots for one in snapshot["predictions"]] == sorted(tickers)


def test_large_predictions_share_a_message_only_as_far_as_common_clients_take_it() -> None:
    horizons = [horizon(bars) for bars in range(1, 200)]
    talk = Talk(make_parts(*(prediction(f"T{number}", horizons=horizons) for number in range(60))))
    _, *snapshots = talk.say("subscribe", "*")
    assert all(len(json.dumps(snapshot)) < 1_048_576 for snapshot in snapshots)
    assert sum(len(snapshot["predictions"]) for snapshot in snapshots) == 60


def test_clients_that_subscribe_to_everything_at_the_same_moment_share_the_bytes() -> None:
    parts = make_parts(prediction("AAPL"), prediction("IBM"))
    answers = [Talk(parts).conversation.answer('{"action": "subscribe", "tickers": ["*"]}') for _ in range(2)]
    first, second = (answer[1]() for answer in answers)
    assert first.frame is second.frame


def since(parts: Parts, **seq: int) -> dict[str, Any]:
    return {"epoch": parts.predictions.epoch, "seq": seq}


def seqs(messages: Iterable[dict[str, Any]], ticker: str) -> list[int]:
    return [message["seq"] for message in messages if message.get("ticker") == ticker]


def test_what_came_after_a_record_that_is_held_follows_and_nothing_of_it_is_in_the_snapshot() -> None:
    parts = make_parts(*(prediction(ticker, offset) for offset in range(1, 6) for ticker in ("AAPL", "IBM")))
    subscribed, snapshot, *updates = Talk(parts).say("subscribe", "AAPL", "IBM", since=since(parts, AAPL=2))
    assert subscribed == acknowledged("AAPL", "IBM", recovered=True)
    assert [one["ticker"] for one in snapshot["predictions"]] == ["IBM"]
    assert [(update["prev"], update["seq"]) for update in updates] == [(2, 3), (3, 4), (4, 5)]


@pytest.mark.parametrize("tickers", [["AAPL", "IBM"], ["*"]])
def test_of_what_is_no_longer_held_or_of_another_epoch_a_fresh_snapshot_comes(tickers: list[str]) -> None:
    parts = make_parts(*(prediction(ticker, offset) for offset in range(1, 4) for ticker in ("AAPL", "IBM")))
    for place in ({"epoch": "another", "seq": {"AAPL": 3, "IBM": 3}}, since(parts, AAPL=9, IBM=0)):
        subscribed, snapshot = Talk(parts).say("subscribe", *tickers, since=place)
        assert (subscribed["recovered"], subscribed["lost"]) == (False, ["AAPL", "IBM"])
        assert [(one["ticker"], one["seq"]) for one in snapshot["predictions"]] == [("AAPL", 3), ("IBM", 3)]
    subscribed, snapshot, update = Talk(parts).say("subscribe", *tickers, since=since(parts, AAPL=2, IBM=0))
    assert (subscribed["recovered"], subscribed["lost"]) == (False, ["IBM"])
    assert [one["ticker"] for one in snapshot["predictions"]] == ["IBM"]
    assert (update["ticker"], update["seq"]) == ("AAPL", 3)


def test_a_quiet_tickers_newest_record_is_held_however_old_it_is() -> None:
    parts = make_parts(prediction("AAPL", 5))
    parts.predictions.held.expire(NOON_NS + DAY_NS)
    assert len(parts.predictions.held) == 0
    subscribed, snapshot = Talk(parts).say("subscribe", "AAPL", since=since(parts, AAPL=5))
    assert (subscribed["recovered"], snapshot["predictions"]) == (True, [])


def test_a_client_that_resumes_what_it_still_gets_hears_nothing_twice_and_nothing_out_of_order() -> None:
    parts = make_parts(prediction("AAPL", 1))
    talk = Talk(parts)
    talk.say("subscribe", "AAPL")
    for offset in (2, 3):
        publish(parts, prediction("AAPL", offset))
    _, _, *updates = talk.say("subscribe", "AAPL", since=since(parts, AAPL=1))
    publish(parts, prediction("AAPL", 4))
    assert seqs([*updates, *talk.updates()], "AAPL") == [2, 3, 4]


@pytest.mark.parametrize("again", [["AAPL"], []])
def test_a_client_that_resumes_does_not_hear_again_what_waited_for_its_pace(again: list[str]) -> None:
    parts = make_parts(prediction("AAPL", 1))
    talk = Talk(parts)
    talk.say("subscribe", "AAPL", max_rate=1)
    for offset in (2, 3):
        publish(parts, prediction("AAPL", offset, provisional=True))
    _, _, *updates = talk.say("subscribe", *again, max_rate=1, since=since(parts, AAPL=1))
    parts.hub.release(math.inf)
    assert seqs([*updates, *talk.updates()], "AAPL") == [2, 3]


LOG = st.lists(st.tuples(st.sampled_from(["AAPL", "IBM"]), st.integers(0, 30)), min_size=1, max_size=25)


@given(LOG, st.data())
def test_recovered_is_said_exactly_when_the_record_is_held_and_then_everything_after_it_comes(
    log: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Records of two tickers, some seconds apart; a client comes back with any place in the log."""
    parts = make_parts()
    now_ns, log_of_ticker = NOON_NS, []
    for seq, (ticker, seconds) in enumerate(log):
        now_ns += seconds * 1_000_000_000
        entry = parts.latest.accept(prediction(ticker, seq), seq)
        assert entry is not None
        parts.predictions.publish(entry, 0, recorded_ns=now_ns, now_ns=now_ns, now_s=0.0)
        if ticker == "AAPL":
            log_of_ticker.append((seq, now_ns))
    place = data.draw(st.integers(0, len(log)))
    talk = Talk(dataclasses.replace(parts, clock_ns=lambda: now_ns))
    subscribed, snapshot, *updates = talk.say("subscribe", "AAPL", since=since(parts, AAPL=place))
    held = [seq for seq, at_ns in log_of_ticker if at_ns >= now_ns - 60_000_000_000] + [
        seq for seq, _ in log_of_ticker[-1:]
    ]
    assert subscribed["recovered"] == (place in held)
    expected = [seq for seq, _ in log_of_ticker if seq > place] if subscribed["recovered"] else []
    assert seqs(updates, "AAPL") == expected
    assert [one["seq"] for one in snapshot["predictions"]] == (
        [] if subscribed["recovered"] else [seq for seq, _ in log_of_ticker[-1:]]
    )


def test_options_are_acknowledged_and_hold_for_snapshot_resumption_and_updates() -> None:
    parts = make_parts(
        prediction("AAPL", 1), prediction("AAPL", 2, provisional=True), prediction("IBM", 1, provisional=True)
    )
    talk = Talk(parts)
    subscribed, snapshot = talk.say("subscribe", "*", final_only=True, id="a")
    assert subscribed == acknowledged("*", id="a", gapless=False)
    assert [one["seq"] for one in snapshot["predictions"]] == [1], "the newest final, not the newest"
    publish(parts, prediction("AAPL", 3, provisional=True))
    publish(parts, prediction("AAPL", 4))
    (update,) = talk.updates()
    assert (update["seq"], update["prev"], update["prev_final"]) == (4, 3, 1)
    _, snapshot, *updates = Talk(parts).say("subscribe", "AAPL", final_only=True, since=since(parts, AAPL=1))
    assert (snapshot["predictions"], seqs(updates, "AAPL")) == ([], [4])


def test_a_format_is_no_gap_and_other_options_of_a_ticker_bring_a_fresh_snapshot() -> None:
    parts = make_parts(prediction("AAPL", 1), prediction("IBM", 1))
    talk = Talk(parts)
    replies = [
        reply() for reply in talk.conversation.answer('{"action":"subscribe","tickers":["AAPL"],"format":"msgpack"}')
    ]
    assert [reply.packed for reply in replies] == [False, True]
    publish(parts, prediction("AAPL", 2))
    subscribed, snapshot = talk.say("subscribe", "AAPL", "IBM", max_rate=1)
    assert subscribed["gapless"] is False
    assert [one["seq"] for one in snapshot["predictions"]] == [2, 1]
    assert talk.updates() == [], "what waited was older than the snapshot"
    assert talk.say("unsubscribe", "AAPL")[0]["gapless"] is False
    assert talk.say("unsubscribe", "IBM")[0]["gapless"] is True


def test_every_answer_carries_the_id_of_its_question() -> None:
    talk = Talk(make_parts(prediction("AAPL", 1)))
    questions: list[dict[str, Any]] = [
        {"action": "subscribe", "tickers": ["AAPL"]},
        {"action": "unsubscribe", "tickers": ["AAPL"]},
        {"action": "subscribe", "tickers": "AAPL"},
        {"action": "buy"},
        {"action": "auth", "key": "secret"},
    ]
    for number, question in enumerate(questions):
        assert talk.say_raw(json.dumps(question | {"id": str(number)}))[0]["id"] == str(number)
    talk.say("subscribe", "*")
    assert talk.say("unsubscribe", "AAPL", id="refused")[0]["id"] == "refused"


def test_bars_have_their_own_snapshot_updates_and_resumption() -> None:
    parts = make_parts()
    for number in (1, 2):
        publish_bar(parts, bar("AAPL", number, bar_index=number))
    talk = Talk(parts, parts.bars)
    subscribed, snapshot = talk.say("subscribe", "AAPL", "IBM")
    assert subscribed["unknown"] == ["IBM"]
    assert [(one["seq"], one["prev"]) for one in snapshot["bars"]] == [(2, 1)]
    assert (snapshot["type"], snapshot["complete"]) == ("bar_snapshot", True)
    publish_bar(parts, bar("AAPL", 3, bar_index=3))
    (update,) = talk.updates()
    assert (update["type"], update["seq"], update["prev"]) == ("bar", 3, 2)
    _, snapshot, *updates = Talk(parts, parts.bars).say("subscribe", "*", since=since(parts, AAPL=1))
    assert (snapshot["bars"], seqs(updates, "AAPL")) == ([], [2, 3])
    assert talk.say("subscribe", "AAPL", min_confidence=0.5)[0]["field"] == "min_confidence"


WRONG: list[tuple[Any, str, str | None]] = [
    ("{", "invalid_json", None),
    ("", "invalid_json", None),
    (b"\xff\xfe", "invalid_json", None),
    ("\ud800", "invalid_json", None),
    ("[" * 60_000, "invalid_json", None),
    ("[]", "invalid_message", None),
    ("null", "invalid_message", None),
    ("{}", "invalid_message", "action"),
    ('{"action": 5, "tickers": []}', "invalid_message", "action"),
    ('{"action": ["subscribe"], "tickers": []}', "invalid_message", "action"),
    ('{"action": "buy", "tickers": ["AAPL"]}', "invalid_message", "action"),
    ('{"action": "subscribe"}', "invalid_message", "tickers"),
    ('{"action": "subscribe", "tickers": "AAPL"}', "invalid_message", "tickers"),
    ('{"action": "subscribe", "tickers": ["AAPL", 5]}', "invalid_ticker", "tickers[1]"),
    ('{"action": "subscribe", "tickers": ["AAPL", "IBM", "$"]}', "invalid_ticker", "tickers[2]"),
    ('{"action": "unsubscribe", "tickers": [""]}', "invalid_ticker", "tickers[0]"),
    ('{"action": "subscribe", "tickers": ["A","B","C","D","E","F"]}', "too_many_tickers", "tickers"),
    ('{"action": "subscribe", "tickers": [], "id": 5}', "invalid_message", "id"),
    ('{"action": "subscribe", "tickers": [], "max_rate": 0}', "invalid_message", "max_rate"),
    ('{"action": "subscribe", "tickers": [], "min_confidence": 1.5}', "invalid_message", "min_confidence"),
    ('{"action": "subscribe", "tickers": [], "final_only": "yes"}', "invalid_message", "final_only"),
    ('{"action": "subscribe", "tickers": [], "format": "xml"}', "invalid_message", "format"),
    ('{"action": "subscribe", "tickers": [], "since": 5}', "invalid_message", "since"),
    (
        '{"action": "subscribe", "tickers": [], "since": {"epoch": "", "seq": {"A": -1}}}',
        "invalid_message",
        "since.seq",
    ),
    ('{"action": "subscribe", "tickers": [], "since": {"epoch": "a", "seq": {"$": 1}}}', "invalid_ticker", "since.seq"),
    ('{"action": "auth"}', "invalid_message", "key"),
    ('{"action": "auth", "key": 5}', "invalid_message", "key"),
    ('{"action": "subscribe", "tickers": []' + " " * 70_000 + "}", "message_too_large", None),
]


@pytest.mark.parametrize(("text", "code", "field"), WRONG)
def test_what_is_wrong_gets_a_code_the_field_and_the_fix_and_changes_nothing(
    text: str | bytes, code: str, field: str | None
) -> None:
    talk = Talk(make_parts(prediction("AAPL", 1), maximum_tickers=5))
    talk.say("subscribe", "AAPL")
    (error,) = talk.say_raw(text)
    assert (error["type"], error["code"], error.get("field")) == ("error", code, field)
    assert len(error["message"]) > 20
    assert talk.subscriber.listed() == ["AAPL"]


def test_whatever_is_nested_however_deeply_is_refused_with_a_message() -> None:
    talk = Talk(make_parts())
    for depth in range(800, 1_100):
        nested = "[" * depth + "]" * depth
        for text in (f'{{"action": {nested}}}', f'{{"action": "subscribe", "tickers": [{nested}]}}'):
            assert talk.say_raw(text)[0]["type"] == "error"


def test_fields_that_nobody_knows_are_ignored_and_equal_names_count_once() -> None:
    talk = Talk(make_parts(maximum_tickers=1))
    subscribed, _ = talk.say_raw('{"action": "subscribe", "tickers": ["AAPL", "aapl"], "colour": 5}')
    assert subscribed["tickers"] == ["AAPL"]


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_a_client_sends_is_a_command_or_is_refused(data: str | bytes) -> None:
    with contextlib.suppress(RefusedError):
        assert isinstance(read_command(data, maximum_bytes=150), ClientMessage)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


FIELDS = ("id", "since", "max_rate", "min_confidence", "final_only", "format", "key", "token")
ACTIONS = st.sampled_from(["subscribe", "unsubscribe", "auth"])
TICKERS = st.lists(st.sampled_from(["AAPL", "*"]), max_size=2)


@given(
    st.fixed_dictionaries(
        {}, optional={"action": JSON | ACTIONS, "tickers": JSON | TICKERS} | dict.fromkeys(FIELDS, JSON)
    )
)
def test_whatever_json_a_client_sends_is_a_command_or_is_refused(message: dict[str, Any]) -> None:
    talk = Talk(make_parts(prediction("AAPL")))
    replies = talk.say_raw(json.dumps(message))
    assert replies[0]["type"] in ("error", "subscribed", "authenticated")
