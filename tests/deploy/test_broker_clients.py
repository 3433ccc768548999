"""No client of the broker is built without the connection that the settings describe."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "ingestor", "feature_stream", "predictor", "gateway", "deploy", "benchmarks")
#: Libraries of the broker, and ours that take a configuration and build their client of it.
_LIBRARIES = ("confluent_kafka", "aiokafka", "faust", "deploy.reach")
_CLIENTS = {
    *("Producer", "Consumer", "AdminClient", "SerializingProducer", "DeserializingConsumer"),
    *("AIOProducer", "AIOConsumer", "AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "AIOKafkaClient"),
    *("App", "Asker", "quiet_admin", "require_answer", "all_answer"),
}
#: They give the connection, secured as the settings say.
_CONNECTIONS = {
    "kafka_config",
    "groupless_config",
    "consumer_config",
    "producer_config",
    "client_config",
    "credentials",
}
#: By file and function, where there is nothing to secure, or the caller gives it.
_ELSEWHERE = {
    ("deploy/reach.py", "quiet_admin"): "takes the configuration; its callers are looked at",
    ("deploy/reach.py", "Asker.__init__"): "likewise",
    ("deploy/reach.py", "Asker.serves_all"): "likewise",
    ("deploy/reach.py", "all_answer"): "likewise",
    ("deploy/reach.py", "require_answer"): "likewise",
    ("deploy/kafka/ready.py", "becomes_ready"): "local Kafka, which listens on 127.0.0.1 in plain",
    ("deploy/embedded_broker.py", "main"): "is the broker",
    ("gateway/command_sender.py", "_quick_producer"): "its caller gives it: schemas.producers",
    ("benchmarks/feature_stage/workers/bytewax_sink.py", "_Part.__init__"): "its caller gives it",
}


def unsecured_clients(source: str) -> list[str]:
    """Name the functions of a module that build a client, and take no connection from the settings."""
    tree = ast.parse(source)
    ours = _imported_clients(tree)
    return [name for name, function in _functions(tree) if _builds(function, ours) and not _calls(function)]


def _imported_clients(tree: ast.Module) -> set[str]:
    """Give the names under which a module knows constructors of clients, `module.Name` included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and _is_library(node.module):
            found |= {alias.asname or alias.name for alias in node.names if alias.name in _CLIENTS}
        elif isinstance(node, ast.Import):
            libraries = [alias.asname or alias.name for alias in node.names if _is_library(alias.name)]
            found |= {f"{library}.{client}" for library in libraries for client in _CLIENTS}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in _CLIENTS:
            found.add(node.name)
    return found


def _is_library(module: str) -> bool:
    return any(module == library or module.startswith(f"{library}.") for library in _LIBRARIES)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Give the functions, methods by their class, and what is outside of any as `<module>`."""
    outside = ast.Module(body=[], type_ignores=[])
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{member.name}", member
                else:
                    outside.body.append(member)
        else:
            outside.body.append(node)
    yield "<module>", outside


def _builds(function: ast.AST, clients: set[str]) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(ast.unparse(call) in clients for call in calls)


def _calls(function: ast.AST) -> bool:
    calls = (ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(call.rpartition(".")[2] in _CONNECTIONS for call in calls)


def _sources() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def test_every_client_is_built_with_the_connection_of_the_settings() -> None:
    found = {(name, function) for name, source in _sources() for function in unsecured_clients(source)}
    assert found - _ELSEWHERE.keys() == set(), "build it from settings.kafka_config() or schemas.aiokafka_config"
    assert _ELSEWHERE.keys() - found == set(), "these build none (any more): take them out"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from confluent_kafka import Producer\ndef f(s):\n    return Producer({'bootstrap.servers': s.x})", ["f"]),
        ("from confluent_kafka import Consumer as C\nclass A:\n    def f(self, s):\n        C({})", ["A.f"]),
        ("import aiokafka\nasync def f():\n    return aiokafka.AIOKafkaConsumer()", ["f"]),
        ("import faust\napp = faust.App('a', broker='kafka://k')", ["<module>"]),
        ("from confluent_kafka import Producer\ndef f(s):\n    return Producer(s.kafka_config() | {'acks': 1})", []),
        ("from aiokafka import AIOKafkaProducer\ndef f(s):\n    c = client_config(s)\n    AIOKafkaProducer(**c)", []),
        ("def Producer(): ...\nfrom elsewhere import Consumer\ndef f():\n    Consumer()", []),
    ],
)
def test_the_search_finds_what_it_should(source: str, found: list[str]) -> None:
    assert unsecured_clients(source) == found
