"""The recorder on Kafka: killed, its database away, its topics made anew; nothing is missing, and nothing twice."""

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from deploy.embedded_broker import start_embedded_broker
from gateway.database.engine import begin_writing, open_engine
from gateway.database.settings import DatabaseSettings
from gateway.recorder.writing import read_positions
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.topics import BARS, DEAD_LETTERS, PREDICTIONS, Topic
from tests.brokers import BrokerUnderTest, Server
from tests.gateway.recorder.events import Said, recorded, rows_of, spoken
from tests.postgres import PostgresServer
from tests.processes import Processes, ServiceProcess

_BARS = 150


@dataclass
class Recording:
    """A recorder of one test, and its database."""

    broker: BrokerUnderTest
    processes: Processes
    engine: Engine
    url: str

    def say(self, said: Said) -> None:
        """Let the stream say something."""
        of_key: dict[tuple[Topic, str], list[Any]] = {}
        for topic, event in said:
            of_key.setdefault((topic, event.ticker), []).append(event)
        for (topic, ticker), events in of_key.items():
            self.broker.produce(topic, *events, key=ticker)

    def start(self, **settings: Any) -> ServiceProcess:
        """Start a recorder."""
        own = {"database_url": self.url, "recorder_batch_records": 40, **settings}
        return self.processes.start("gateway.recorder", environment=self.broker.environment(**own))

    def wait_for(self, recorder: ServiceProcess, said: Said) -> None:
        """Wait until all of it is recorded, and nothing else."""
        expected = rows_of(said)

        def there() -> bool:
            return self.rows() == expected

        recorder.wait_for(there, what="everything being recorded")

    def rows(self) -> dict[str, set[tuple[Any, ...]]]:
        """Give what is there; nothing before the tables are, or while the database is away."""
        try:
            return recorded(self.engine)
        except SQLAlchemyError:
            return {}


@pytest.fixture
def recording(kafka: BrokerUnderTest, processes: Processes, database_url: str) -> Iterator[Recording]:
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(database_url)))
    yield Recording(kafka, processes, engine, database_url)
    engine.dispose()


@contextmanager
def recording_in_file(broker: BrokerUnderTest, processes: Processes, folder: Path) -> Iterator[Recording]:
    url = f"sqlite:///{folder}/history.db"
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(url)))
    yield Recording(broker, processes, engine, url)
    engine.dispose()


def test_a_recorder_killed_again_and_again_writes_what_an_undisturbed_one_does(
    recording: Recording, rng: random.Random
) -> None:
    said = spoken(_BARS)
    recording.say(said)
    wanted = sum(len(rows) for rows in rows_of(said).values())
    for share in sorted(rng.uniform(0.05, 0.9) for _ in range(3)):
        recorder = recording.start()

        def so_far(share: float = share) -> bool:
            return sum(len(rows) for rows in recording.rows().values()) >= share * wanted

        recorder.wait_for(so_far, what="some rows")
        recorder.kill()
    recorder = recording.start()
    recording.wait_for(recorder, said)
    more = spoken(_BARS + 5)
    recording.say(more[len(said) :])
    recording.wait_for(recorder, more)
    assert recorder.stop() == 0, recorder.output()


def test_a_topic_that_was_made_anew_is_recorded_from_its_beginning(recording: Recording) -> None:
    first = spoken(20)
    recording.say(first)
    recorder = recording.start()
    recording.wait_for(recorder, first)
    assert recorder.stop() == 0, recorder.output()
    before = read_positions(recording.engine)
    recording.broker.replace_topic(BARS)
    later = [(topic, event) for topic, event in spoken(40)[len(first) :] if topic is BARS]
    recording.say(later)
    recorder = recording.start()
    recording.wait_for(recorder, [*first, *later])
    assert "made anew" in recorder.output()
    places = {place: at for place, at in read_positions(recording.engine).items() if place.topic.endswith(BARS.name)}
    assert all(before[place].epoch != at.epoch for place, at in places.items() if place in before)


def test_another_log_begins_without_the_history_of_the_one_before_where_that_is_asked_for(
    recording: Recording, make_kafka: Callable[[], BrokerUnderTest]
) -> None:
    first, later = spoken(4), spoken(9)[-15:]
    recording.say(first)
    recorder = recording.start(recorder_forgets_other_logs=True)
    recording.wait_for(recorder, first)
    assert recorder.stop() == 0, recorder.output()
    again = recording.start(recorder_forgets_other_logs=True)
    again.wait_until_healthy()
    recording.wait_for(again, first)
    assert again.stop() == 0, again.output()
    recording.broker = make_kafka()
    recording.say(later)
    recording.wait_for(recording.start(recorder_forgets_other_logs=True), later)


def test_what_nobody_understands_is_a_dead_letter_and_the_rest_is_recorded(recording: Recording) -> None:
    said = spoken(3)
    recording.say(said[:20])
    recording.broker.produce(PREDICTIONS, b"nonsense", key="AAPL")
    recording.say(said[20:])
    recorder = recording.start()
    recording.wait_for(recorder, said)
    [letter] = recording.broker.read(DEAD_LETTERS, 1)
    assert letter.value == b"nonsense"
    assert letter.headers["dead_letter_origin"] == PREDICTIONS.name.encode()
    assert recorder.metric("tickcast_dead_letters_total") == 1
    second = recording.start()
    assert second.wait() == EXIT_STOP_AND_SAY
    assert "another recorder" in second.output()


def test_on_the_embedded_broker_a_kill_costs_nothing_and_another_one_is_another_log(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    with recording_in_file(embedded, processes, tmp_path) as recording:
        said, later = spoken(30), spoken(35)[-15:]
        recording.say(said[:200])
        recorder = recording.start()
        recording.wait_for(recorder, said[:200])
        recorder.kill()
        recording.say(said[200:])
        recorder = recording.start()
        recording.wait_for(recorder, said)
        assert recorder.stop() == 0, recorder.output()
        another = start_embedded_broker(tmp_path / "another")
        try:
            server = Server(another.bootstrap_servers, embedded=True)
            recording.broker = BrokerUnderTest(server, topic_prefix=embedded.topic_prefix)
            recording.broker.create_topics()
            recording.say(later)
            recorder = recording.start()
            recording.wait_for(recorder, [*said, *later])
            assert "made anew" in recorder.output()
            assert recorder.stop() == 0, recorder.output()
        finally:
            another.stop()


def test_a_file_that_another_has_locked_for_long_is_waited_for_and_nothing_is_lost(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    with recording_in_file(embedded, processes, tmp_path) as recording:
        said = spoken(30)
        recording.say(said[:200])
        recorder = recording.start(database_answer_seconds=0.2)
        recording.wait_for(recorder, said[:200])
        with begin_writing(recording.engine):
            recording.say(said[200:])
            recorder.wait_for(lambda: "does not answer" in recorder.output(), what="the lock being met")
            assert recording.rows() == rows_of(said[:200])
        recording.wait_for(recorder, said)
        recorder.wait_for(lambda: "answers again" in recorder.output(), what="its being over")
        assert recorder.stop() == 0, recorder.output()


def test_a_postgresql_that_is_killed_and_comes_back_misses_nothing(
    kafka: BrokerUnderTest, processes: Processes, postgres: PostgresServer
) -> None:
    url = postgres.make_database()
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(url)))
    recording, said = Recording(kafka, processes, engine, url), spoken(60)
    recording.say(said[:300])
    recorder = recording.start()
    recording.wait_for(recorder, said[:300])
    postgres.kill()
    try:
        recording.say(said[300:])
        assert recorder.wait() == 1, "without its lock it must not go on"
        assert "database" in recorder.output()
    finally:
        postgres.start()
    again = recording.start()
    recording.wait_for(again, said)
    again.send(signal.SIGTERM)
    assert again.wait() == 0, again.output()
    engine.dispose()
