"""Fixtures of all rooms: brokers, processes, seeds."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from deploy.embedded_broker import start_embedded_broker
from deploy.kafka import ports
from schemas.settings import ENV_PREFIX
from tests.brokers import BrokerUnderTest, Server
from tests.postgres import PostgresServer, postgres_server
from tests.processes import KEPT_SETTINGS, Processes
from tests.redis import RedisServer, redis_server
from tests.servers import ADDRESS_VARIABLE, kafka_server
from tests.training import Trained, Training
from tests.workers import Worker

# No example fails on time: machines stall. CI tries the same examples each time.
settings.register_profile(
    "tickcast", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("tickcast")

WORKER = Worker.of_this_process()
_SEED_VARIABLE = "TICKCAST_TEST_SEED"
_KEPT_VARIABLES = (ADDRESS_VARIABLE, _SEED_VARIABLE, *KEPT_SETTINGS)
_seed_of = pytest.StashKey[int]()
_notes_of = pytest.StashKey[list[tuple[str, Callable[[], str]]]]()
_SERVER_FIXTURES = {
    "kafka",
    "embedded",
    "broker",
    "make_kafka",
    "kafka_address",
    "embedded_address",
    "postgres",
    "redis",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for a broker."""
    for item in items:
        if _SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)
    if WORKER.beside_others:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Say when a test's turn is: the long ones first, so that no worker is left alone with one at the end."""
    if "trained" in getattr(item, "fixturenames", ()):
        return 1  # the training goes on meanwhile
    return 0 if item.get_closest_marker("integration") else 2


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose the test's seed."""
    seed = int(os.environ.get(_SEED_VARIABLE) or random.SystemRandom().randrange(2**31))
    item.stash[_seed_of] = seed
    item.stash[_notes_of] = []
    random.seed(seed)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the seed, the broker and what the services printed beside a failure."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed and _seed_of in item.stash:
        seed = item.stash[_seed_of]
        report.sections.append(("seed", f"{seed}: run it again with {_SEED_VARIABLE}={seed}"))
        report.sections.extend((title, text()) for title, text in item.stash[_notes_of])


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_this_machine() -> Iterator[None]:
    """Keep the developer's own `TICKCAST_*` out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(ENV_PREFIX)]:
            if name not in _KEPT_VARIABLES:
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def _ports_of_our_own() -> Iterator[None]:
    """Choose no port that a worker beside us could choose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ports, "_RANGE", WORKER.share_of(ports._RANGE))
        yield


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Give this test's seed, which is shown when it fails."""
    return int(request.node.stash[_seed_of])


@pytest.fixture
def rng(seed: int) -> random.Random:
    """Give a random generator that a failure can repeat."""
    return random.Random(seed)


@pytest.fixture(scope="session")
def kafka_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a real Kafka for the session."""
    with kafka_server(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def embedded_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give an embedded broker for the session."""
    broker = start_embedded_broker(tmp_path_factory.mktemp("embedded"))
    yield Server(broker.bootstrap_servers, embedded=True)
    broker.stop()


@pytest.fixture(scope="session", autouse=True)
def _training(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Training | None]:
    """Begin to train at once where a later test wants the models: most tests wait more than they compute."""
    wanted = any("trained" in getattr(item, "fixturenames", ()) for item in request.session.items)
    training = Training(WORKER.common_folder(tmp_path_factory.getbasetemp()) / "training") if wanted else None
    yield training
    if training is not None:
        training.end(others_may_wait=WORKER.beside_others)


@pytest.fixture(scope="session")
def trained(_training: Training) -> Trained:
    """Give a real model set, trained once."""
    return _training.result()


#: Makes brokers of one test; its keywords are settings, like `partitions=2`.
MakeBroker = Callable[..., BrokerUnderTest]


def _made_on(server: Server, request: pytest.FixtureRequest) -> Iterator[MakeBroker]:
    with ExitStack() as after:

        def make(*, create: bool = True, **overrides: Any) -> BrokerUnderTest:
            broker = BrokerUnderTest(server, **overrides)
            note = f"{broker.bootstrap_servers}, topics {broker.topic_prefix}*"
            request.node.stash[_notes_of].append(("broker", lambda: note))
            if create:
                broker.create_topics()
            after.callback(broker.delete_topics)
            return broker

        yield make


@pytest.fixture
def make_kafka(kafka_address: Server, request: pytest.FixtureRequest) -> Iterator[MakeBroker]:
    """Give a maker of brokers on Kafka: `make_kafka(partitions=2)`, `make_kafka(create=False)`."""
    yield from _made_on(kafka_address, request)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give a real PostgreSQL for the session."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give a real Redis of one test, which may kill it."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.make_database()


@pytest.fixture
def kafka(make_kafka: MakeBroker) -> BrokerUnderTest:
    """Give Kafka with this test's own topics."""
    return make_kafka()


@pytest.fixture
def embedded(embedded_address: Server, request: pytest.FixtureRequest) -> Iterator[BrokerUnderTest]:
    """Give the embedded broker with this test's own topics."""
    for make in _made_on(embedded_address, request):
        yield make()


@pytest.fixture(params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest) -> BrokerUnderTest:
    """Give each broker in turn."""
    given: BrokerUnderTest = request.getfixturevalue(request.param)
    return given


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Processes]:
    """Give a starter of services, which all end with the test."""
    ours = Processes(tmp_path_factory.mktemp("processes"))
    request.node.stash[_notes_of].append(("services", lambda: _printed(ours)))
    yield ours
    ours.end_all()


def _printed(processes: Processes) -> str:
    return "\n".join(f"--- {service.name}\n{service.output()[-4_000:]}" for service in processes.started)
