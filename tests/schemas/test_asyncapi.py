"""The AsyncAPI document, held by its own structure: the official schema is not to be had without the internet.

(It was checked once by hand against AsyncAPI's own JSON Schema of 3.0.0; what follows keeps what that asks for.)
"""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from msgspec import Struct

from schemas import VERSION
from schemas.close_codes import CloseCode
from schemas.codec import decoder, event_headers
from schemas.events import Features
from schemas.generate import ROOM
from schemas.json_schemas import BARS_SERVER_MESSAGES, CLIENT_MESSAGES, PREDICTIONS_SERVER_MESSAGES
from schemas.topics import DEAD_LETTERS, TICKS, TOPICS, Topic, partition_count

DOCUMENT = yaml.safe_load((ROOM / "asyncapi.yaml").read_text())
CHANNELS = DOCUMENT["channels"]
EVENT_TOPICS = [topic for topic in TOPICS if topic.event]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Walk through every object of the document but the payloads of examples."""
    if isinstance(value, dict):
        yield value
        for name, part in value.items():
            if name != "examples":
                yield from nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from nodes(part)


def resolve(reference: str) -> Any:
    value: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


def whole(value: Any) -> Any:
    """Put what references point to in their places."""
    if isinstance(value, dict) and "$ref" in value:
        return whole(resolve(value["$ref"]))
    if isinstance(value, dict):
        return {name: whole(part) for name, part in value.items()}
    return [whole(part) for part in value] if isinstance(value, list) else value


def message_of(topic: Topic) -> Any:
    (message,) = CHANNELS[topic.name]["messages"].values()
    return whole(message)


def test_the_head_says_what_and_which_version() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"]["version"] == VERSION
    assert set(DOCUMENT) == {
        "asyncapi",
        "info",
        "defaultContentType",
        "servers",
        "channels",
        "operations",
        "components",
    }


def test_every_reference_resolves() -> None:
    references = [node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node]
    assert len(references) > 100
    for reference in references:
        assert reference.startswith("#/")
        resolve(reference)


def test_every_topic_is_a_channel_and_every_channel_a_topic_or_one_of_the_gateways() -> None:
    assert set(CHANNELS) == {topic.name for topic in TOPICS} | {"websocket", "websocket-bars", "events"}
    assert CHANNELS["events"]["address"] == "/events/predictions"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_channel_says_what_the_table_says(topic: Topic) -> None:
    channel = CHANNELS[topic.name]
    binding = channel["bindings"]["kafka"]
    configuration = {
        name: value[0] if isinstance(value, list) else str(value)
        for name, value in binding["topicConfiguration"].items()
    }
    assert channel["address"].format(prefix="test.") == f"test.{topic.name}"
    assert channel["parameters"]["prefix"]["default"] == ""
    assert binding["partitions"] == partition_count(topic, 4)
    assert configuration == topic.config(4_294_967_296)
    assert channel["x-key"] == topic.key
    assert channel["x-written-by"] == topic.written_by


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_message_names_its_key_unless_the_partition_is_set(topic: Topic) -> None:
    message = message_of(topic)
    assert ("bindings" in message) == (topic is not TICKS)
    if topic is not TICKS:
        assert message["bindings"]["kafka"]["key"]["description"] == topic.key


@pytest.mark.parametrize("topic", EVENT_TOPICS, ids=lambda topic: topic.name)
def test_an_embedded_example_fits_its_payload_schema(topic: Topic) -> None:
    message = message_of(topic)
    jsonschema.Draft7Validator(message["payload"]).validate(message["examples"][0]["payload"])


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_headers_are_those_that_the_codec_writes(topic: Topic) -> None:
    message = message_of(topic)
    assert ("headers" in message) == (topic.cloud_events or topic is DEAD_LETTERS)
    if topic.cloud_events:
        assert set(message["headers"]["required"]) == {name for name, _ in event_headers("", "", "", 0)}
        assert message["examples"][0]["headers"]["ce_id"] == message["examples"][0]["payload"]["id"]
        assert message["examples"][0]["headers"]["ce_type"] == message["name"]
    if "headers" in message:
        jsonschema.Draft7Validator(message["headers"]).validate(message["examples"][0]["headers"])


def test_the_dead_letters_reason_is_what_the_codec_says_of_those_bytes() -> None:
    example = message_of(DEAD_LETTERS)["examples"][0]
    with pytest.raises(ValueError, match=re.escape(example["headers"]["dead_letter_reason"])):
        decoder(Features)(example["payload"].encode())


@pytest.mark.parametrize(
    ("channel", "address", "said"),
    [
        ("websocket", "/ws/predictions", PREDICTIONS_SERVER_MESSAGES),
        ("websocket-bars", "/ws/bars", BARS_SERVER_MESSAGES),
    ],
)
def test_a_websocket_takes_client_messages_and_sends_its_own(
    channel: str, address: str, said: tuple[type[Struct], ...]
) -> None:
    def names(operation: str) -> list[str]:
        return [reference["$ref"].rpartition("/")[2] for reference in DOCUMENT["operations"][operation]["messages"]]

    assert CHANNELS[channel]["address"] == address
    assert names(f"receive-{channel}") == [message.__name__ for message in CLIENT_MESSAGES]
    assert names(f"send-{channel}") == [message.__name__ for message in said]
    assert set(names(f"receive-{channel}") + names(f"send-{channel}")) == set(CHANNELS[channel]["messages"])


def test_every_close_code_says_whether_to_come_back() -> None:
    for channel in ("websocket", "websocket-bars"):
        told = {one["code"]: one["reconnect"] for one in CHANNELS[channel]["x-close-codes"]}
        assert set(told) == set(CloseCode)
        assert all(told[code] == (code < 4500) for code in told)


def test_every_operation_speaks_of_a_channel_and_every_channel_has_one() -> None:
    spoken_of = {operation["channel"]["$ref"].rpartition("/")[2] for operation in DOCUMENT["operations"].values()}
    assert spoken_of == set(CHANNELS)
    assert {operation["action"] for operation in DOCUMENT["operations"].values()} == {"send", "receive"}


def test_names_are_such_as_asyncapi_allows() -> None:
    for kind in ("messages", "schemas"):
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for name in DOCUMENT["components"][kind])
