"""What a client says, and what it hears."""

import contextlib
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands import RefusedError, read_command
from gateway.conversation import SNAPSHOT_BYTES, Conversation
from gateway.hub import Subscriber
from gateway.latest import Entry
from gateway.mailbox import Mailbox, Outgoing
from gateway.parts import Parts
from tests.gateway.samples import make_parts, prediction, publish


class Talk:
    """A conversation without sockets."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.subscriber: Subscriber = parts.hub.join(Mailbox(parts.settings.client_queue))
        self.conversation = Conversation(parts.hub, parts.latest, parts.settings, self.subscriber)

    def say(self, action: str, *tickers: Any) -> list[dict[str, Any]]:
        return self.say_raw(json.dumps({"action": action, "tickers": tickers}))

    def say_raw(self, text: str | bytes) -> list[dict[str, Any]]:
        return read(reply() for reply in self.conversation.answer(text))

    def updates(self) -> list[dict[str, Any]]:
        return read(self.subscriber.mailbox.take(10_000, str))


def read(messages: Iterable[Outgoing]) -> list[dict[str, Any]]:
    parsed = [(kind, json.loads(text)) for kind, text in messages]
    assert all(kind == message["type"] for kind, message in parsed)
    return [message for _, message in parsed]


def test_the_acknowledgement_is_the_whole_list_and_the_snapshot_only_what_is_new() -> None:
    talk = Talk(make_parts(prediction("AAPL", 1), prediction("IBM", 1)))
    subscribed, snapshot = talk.say("subscribe", "AAPL")
    assert subscribed == {"type": "subscribed", "tickers": ["AAPL"], "unknown": []}
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
    assert subscribed == {"type": "subscribed", "tickers": ["*"], "unknown": []}
    assert [one["ticker"] for one in snapshot["predictions"]] == ["IBM"]
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
    while messages := mailbox.take(64, str):
        got += read(messages)
        if mailbox.has_replies:
            offset += 1
            for ticker in tickers:
                publish(talk.parts, prediction(ticker, offset))
    assert [message["type"] for message in got[:3]] == ["subscribed", "snapshot", "snapshot"]
    heard: dict[str, list[int]] = {ticker: [] for ticker in tickers}
    for one in (one for message in got[1:] for one in message.get("predictions", [message])):
        heard[one["ticker"]].append(one["source_offset"])
    assert all((offsets[0], offsets[-1]) == (1, offset) for offsets in heard.values())
    assert all(before < after for offsets in heard.values() for before, after in pairwise(offsets))


def test_a_snapshot_that_waits_is_written_only_message_by_message(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def write(entries: list[Entry]) -> Outgoing:
        written.append(len(entries))
        return "snapshot", "{}"

    monkeypatch.setattr("gateway.conversation._snapshot", write)
    talk = Talk(make_parts(*(prediction(f"T{number}") for number in range(400))))
    mailbox = talk.subscriber.mailbox
    mailbox.reply(talk.conversation.answer('{"action": "subscribe", "tickers": ["*"]}'))
    for count in range(3):
        assert len(mailbox.take(64, str)) == 1
        assert len(written) == count


def test_a_large_snapshot_goes_out_in_messages_that_common_clients_take() -> None:
    tickers = [f"T{number}" for number in range(400)]
    talk = Talk(make_parts(*(prediction(ticker) for ticker in tickers)))
    _, *snapshots = talk.say("subscribe", "*")
    assert len(snapshots) > 1
    assert all(len(json.dumps(snapshot)) < 2 * SNAPSHOT_BYTES for snapshot in snapshots)
    assert [one["ticker"] for snapshot in snapshots for one in snapshot["predictions"]] == sorted(tickers)


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
    subscribed, _ = talk.say_raw('{"action": "subscribe", "tickers": ["AAPL", "aapl"], "since": 5}')
    assert subscribed["tickers"] == ["AAPL"]


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_a_client_sends_is_a_command_or_is_refused(data: str | bytes) -> None:
    with contextlib.suppress(RefusedError):
        assert isinstance(read_command(data, maximum_bytes=150).tickers, list)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional={"action": JSON | st.just("subscribe"), "tickers": JSON}))
def test_whatever_json_a_client_sends_is_a_command_or_is_refused(message: dict[str, Any]) -> None:
    talk = Talk(make_parts())
    replies = talk.say_raw(json.dumps(message))
    assert replies[0]["type"] in ("error", "subscribed")
