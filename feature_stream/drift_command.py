"""`python -m feature_stream.drift_command`: the state of drift, on demand, from the newest board of all tickers."""

import argparse
import sys
import time
from collections.abc import Iterator
from functools import partial

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

from feature_stream.drift_words import as_json, as_lines
from feature_stream.scores.board import ALL
from schemas.broker import require_topics
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.errors import RetryError, StopAndSayError
from schemas.events import Scoreboard
from schemas.partitioning import partition_of
from schemas.service import run_service
from schemas.settings import Settings
from schemas.times import Interval
from schemas.topics import SCORES

_NAME = "drift"
_ASK_SECONDS = 10.0
#: Records at the end of a partition that are looked through at first, and how many times more where it is not there.
_FIRST_LOOK = 1_000
_MORE = 10
_STRETCH = 500
_WAIT_SECONDS = 0.2
_READ_SECONDS = 60.0

_decode = decoder(Scoreboard)


def newest_board(settings: Settings) -> Scoreboard | None:
    """Give the newest board of all tickers of our interval; None where there is none.

    Raises:
        RetryError: The broker stopped to answer.
    """
    consumer = Consumer(groupless_config(settings, _NAME))
    try:
        name = settings.topic_prefix + SCORES.name
        partitions = consumer.list_topics(name, timeout=_ASK_SECONDS).topics[name].partitions
        return _newest(consumer, TopicPartition(name, partition_of(ALL, len(partitions))), settings.interval)
    except KafkaException as error:
        raise RetryError(f"the scores cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _newest(consumer: Consumer, place: TopicPartition, interval: Interval) -> Scoreboard | None:
    """Look through the end of a partition, then through more of it, until a board of all is there."""
    first, end = consumer.get_watermark_offsets(place, timeout=_ASK_SECONDS)
    look = _FIRST_LOOK
    while end > first:
        start = max(first, end - look)
        boards = [_board(message) for message in _records(consumer, place, start, end)]
        found = [board for board in boards if board is not None and board.interval == interval]
        if found or start == first:
            return found[-1] if found else None
        look *= _MORE
    return None


def _board(message: Message) -> Scoreboard | None:
    """Give a board of all; what cannot be decoded is the scorekeeper's business, and an older one says what was."""
    if message.key() != ALL.encode():
        return None
    try:
        return _decode(message.value())
    except UndecodableError:
        return None


def _records(consumer: Consumer, place: TopicPartition, start: int, end: int) -> Iterator[Message]:
    """Give the records of a partition from an offset to before another one."""
    consumer.assign([TopicPartition(place.topic, place.partition, start)])
    at, deadline = start, time.monotonic() + _READ_SECONDS
    while at < end:
        for message in consumer.consume(_STRETCH, timeout=_WAIT_SECONDS):
            if message.error() is not None:
                raise KafkaException(message.error())
            at = message.offset() + 1
            if at <= end:
                yield message
        if time.monotonic() > deadline:
            raise RetryError(f"{place.topic}[{place.partition}] was not read to its end in {_READ_SECONDS:g} s")


def _run(given: argparse.Namespace, settings: Settings) -> None:
    require_topics(settings, (SCORES,), AdminClient, ConfigResource)
    board = newest_board(settings)
    if board is None:
        raise StopAndSayError(
            "there is no board of all tickers yet: scores come from the outcomes of predictions, so run the system "
            "(`tickcast run`) until the first bar after a prediction has closed"
        )
    sys.stdout.write(as_json(board) if given.json else "\n".join(as_lines(board)))
    sys.stdout.write("\n")
    sys.stdout.flush()


def main() -> None:
    """Read the command line, and say it."""
    parser = argparse.ArgumentParser(
        prog="tickcast drift",
        description="Say whether the forecasts have become worse than they were, and whether a retrain is asked for.",
        epilog="It exits with 0 whatever it says. What the words mean: docs/scores.md, Drift.",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    run_service(_NAME, Settings, partial(_run, parser.parse_args()))


if __name__ == "__main__":
    main()
