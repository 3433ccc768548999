"""What is settled before the first part starts."""

import json
import socket
import sys
from pathlib import Path

import pytest

from deploy import preparation
from deploy.brokers import RunningBroker
from deploy.kept_place import KEPT_RUNS, keep
from deploy.kept_run import read_kept_runs
from deploy.preparation import (
    check_gateway_port,
    check_source,
    choose_interval,
    choose_metrics_ports,
    prepare_place,
    wanted_run,
)
from deploy.run_options import RunOptions, parse_options
from deploy.running_env import SOURCE_VARIABLES
from deploy.system_parts import METRICS_PORTS, running_variables, source_variables
from schemas.errors import StopAndSayError
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _options(*arguments: str) -> RunOptions:
    return parse_options(arguments)


def test_a_taken_port_gives_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            StopAndSayError, match=rf"^port {port} is not available on 127.0.0.1 .* another with --port$"
        ):
            check_gateway_port(_options("--port", str(port)).settings)
    assert check_gateway_port(_options("--port", str(port)).settings) == port


def test_an_ipv6_host_has_ports_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_GATEWAY_HOST", "::1")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StopAndSayError, match=rf"^port {port} is not available on ::1 "):
            check_gateway_port(_options("--port", str(port)).settings)
    assert check_gateway_port(_options("--port", str(port)).settings) == port


def test_port_0_is_any_free_one() -> None:
    assert check_gateway_port(_options("--port", "0").settings) > 0


@pytest.mark.xdist_group("metrics-ports")
def test_a_service_whose_port_is_taken_gets_another() -> None:
    ports = choose_metrics_ports("127.0.0.1", 8000)
    assert set(ports) == set(METRICS_PORTS)
    assert len(set(ports.values())) == len(ports)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", ports["predictor"]))
        taken.listen()
        assert choose_metrics_ports("127.0.0.1", 8000)["predictor"] != ports["predictor"]


@pytest.mark.xdist_group("metrics-ports")
@pytest.mark.parametrize("service", METRICS_PORTS)
def test_the_gateway_s_port_is_no_service_s(service: str) -> None:
    port = METRICS_PORTS[service]
    assert port not in choose_metrics_ports("127.0.0.1", port).values()


def _describing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Let a small program take the place of `python -m ingestor describe`."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport json, sys\n{code}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.parametrize(
    ("arguments", "interval"),
    [([], "1d"), (["--source", "simulated"], "1m"), (["--source", "simulated", "--interval", "1s"], "1s")],
)
def test_bars_are_as_long_as_suits_the_source(arguments: list[str], interval: str) -> None:
    assert choose_interval(_options(*arguments)) == interval


@pytest.mark.parametrize(("told", "interval"), [("1h", "1h"), (None, "1m")])
def test_a_file_of_bars_keeps_its_own_interval_and_one_of_ticks_gets_minutes(
    told: str | None, interval: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = json.dumps({"kind": "bars", "interval": told})
    code = (
        f"assert sys.argv[1:] == ['-m', 'ingestor', 'describe', 'file:{tmp_path}/a.csv'], sys.argv\nprint({answer!r})"
    )
    _describing(monkeypatch, tmp_path, code)
    assert choose_interval(_options("--source", "file:a.csv")) == interval


def test_a_file_that_cannot_be_understood_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _describing(monkeypatch, tmp_path, "print('noise\\ningestor: no such file', file=sys.stderr); sys.exit(78)")
    with pytest.raises(StopAndSayError, match=r"^no such file$"):
        choose_interval(_options("--source", "file:a.csv"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--tickers NOPE", "do not hold NOPE"),
        ("--start yesterday", "TICKCAST_START"),
        ("--start 2030-01-01", "leave nothing to play"),
        ("--source file:missing.csv --interval 1h", "cannot be read"),
        ("--source simulated --loop", "only replay"),
    ],
)
def test_a_source_that_cannot_be_played_is_said_before_anything_is_kept(words: str, said: str) -> None:
    with pytest.raises(StopAndSayError, match=said):
        check_source(_options(*words.split()).settings, "1d")


def test_a_start_after_the_end_of_a_file_is_said_before_anything_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ticker,timestamp,price,size\nIBM,2024-01-02T14:30:00Z,100,1\n")
    with pytest.raises(
        StopAndSayError, match=r"TICKCAST_START 2024-01-03: .*a\.csv ends before it, at 2024-01-02T14:30"
    ):
        check_source(_options("--source", "file:a.csv", "--start", "2024-01-03").settings, "1m")
    check_source(_options("--source", "file:a.csv", "--start", "2024-01-02").settings, "1m")


def test_a_file_of_one_ticker_after_the_other_is_said_before_most_of_it_is_lost(tmp_path: Path) -> None:
    rows = [f"{ticker},2024-01-{day:02},1,2,1,2,5" for ticker in ("AAPL", "MSFT") for day in range(1, 29)]
    file = tmp_path / "a.csv"
    header = "ticker,timestamp,open,high,low,close,volume"
    file.write_text("\n".join([header, *rows]))
    options = _options("--source", "file:a.csv")
    with pytest.raises(StopAndSayError, match=r"a\.csv is not in the order of time: sort its rows by timestamp"):
        check_source(options.settings, "1d")
    file.write_text("\n".join([header, *sorted(rows, key=lambda row: row.split(",")[1])]))
    check_source(options.settings, "1d")


def test_a_source_that_can_be_played_is_not_spoken_of() -> None:
    check_source(_options("--start", "2011-01-03", "--tickers", "IBM", "--speed", "0").settings, "1d")


def test_a_run_is_remembered_by_what_it_plays_and_not_by_how_fast() -> None:
    slow = wanted_run(_options("--speed", "1").settings, "1d")
    assert slow == wanted_run(_options("--speed", "9", "--start", "2010-01-04", "--end", "2011-01-03").settings, "1d")
    assert slow != wanted_run(_options("--start", "2010-01-05").settings, "1d")


class _Topics:
    """Takes the place of the broker: remembers what was made and deleted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[Settings] = []
        self.deleted: list[str] = []
        self.deletes_with: Settings | None = None
        self.new = ["ticks"]
        self.refusal = ""
        monkeypatch.setattr(preparation, "create_topics", self._create)
        monkeypatch.setattr(preparation, "delete_topics", self._delete)

    def _delete(self, settings: Settings, names: list[str]) -> None:
        if self.refusal:
            raise StopAndSayError(self.refusal)
        assert settings.kafka_bootstrap_servers == LOCAL.bootstrap_servers
        self.deletes_with = settings
        self.deleted += names

    def _create(self, settings: Settings) -> list[str]:
        self.made.append(settings)
        return self.new


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> _Topics:
    return _Topics(monkeypatch)


LOCAL = RunningBroker("local", "127.0.0.1:22336", None, "Kafka")
EMBEDDED = RunningBroker("embedded", "127.0.0.1:22337", None, "embedded", embedded=True)
CLUSTER = RunningBroker("cluster", "kafka.example:9092", None, "a cluster")


def test_the_second_run_continues_with_its_tables_and_a_fresh_one_leaves_nothing(topics: _Topics) -> None:
    said: list[str] = []
    first = prepare_place(_options(), LOCAL, "1d", 8000, said.append)
    first.data_directory.mkdir(parents=True)
    topics.new = []
    second = prepare_place(_options(), LOCAL, "1d", 8000, said.append)
    assert (second.topic_prefix, second.data_directory) == ("", first.data_directory)
    assert first.data_directory.is_dir()
    assert said == ["resuming where the log ends; --fresh starts over"]
    fresh = prepare_place(_options("--fresh", "--source", "simulated"), LOCAL, "1m", 8000, said.append)
    assert fresh.topic_prefix not in ("", None)
    assert topics.made[-1].topic_prefix == fresh.topic_prefix
    assert topics.deleted == [topic.name for topic in ALL_TOPICS]
    assert not first.data_directory.exists()


def test_a_fresh_start_goes_on_when_old_topics_cannot_be_deleted(topics: _Topics) -> None:
    said: list[str] = []
    prepare_place(_options(), LOCAL, "1d", 8000, print)
    topics.refusal = "not allowed"
    fresh = prepare_place(_options("--fresh"), LOCAL, "1d", 8000, said.append)
    assert fresh.topic_prefix.startswith("r")
    assert said[-1] == "old topics were not deleted: not allowed"


def test_tables_of_a_log_that_is_gone_go_too_and_nobody_says_that_it_goes_on(topics: _Topics) -> None:
    said: list[str] = []
    place = prepare_place(_options(), LOCAL, "1d", 8000, print)
    place.data_directory.mkdir(parents=True)
    prepare_place(_options(), LOCAL, "1d", 8000, said.append)
    assert not place.data_directory.exists()
    assert said == ["the previous run's log is gone: starting over"]


def test_a_run_on_a_log_that_nobody_remembers_waits_for_the_word_of_the_ingestor(topics: _Topics) -> None:
    topics.new = []
    place = prepare_place(_options(), LOCAL, "1d", 8000, print)
    assert read_kept_runs(Path("var") / KEPT_RUNS) == {}
    assert place.unconfirmed is not None
    keep(Path("var"), place.unconfirmed)
    assert prepare_place(_options(), LOCAL, "1d", 8000, print).unconfirmed is None
    assert read_kept_runs(Path("var") / KEPT_RUNS)["local"].start == "2010-01-04"


def test_topics_of_a_broker_of_ours_are_made_and_deleted_without_the_secrets_of_a_cluster(
    topics: _Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKCAST_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("TICKCAST_KAFKA_SASL_USERNAME", "me")
    monkeypatch.setenv("TICKCAST_KAFKA_SASL_PASSWORD", "secret")
    monkeypatch.setenv("TICKCAST_REPLICATION_FACTOR", "3")
    for arguments in ([], ["--fresh"]):
        prepare_place(_options(*arguments), LOCAL, "1d", 8000, print)
    assert {(made.kafka_security_protocol, made.replication_factor) for made in topics.made} == {("PLAINTEXT", 1)}
    assert topics.deletes_with is not None
    assert topics.deletes_with.kafka_security_protocol == "PLAINTEXT"


def test_a_topic_that_a_new_version_brings_does_not_end_the_log(topics: _Topics) -> None:
    said: list[str] = []
    prepare_place(_options(), LOCAL, "1d", 8000, print)
    topics.new = ["outcomes"]
    prepare_place(_options(), LOCAL, "1d", 8000, said.append)
    assert said == ["resuming where the log ends; --fresh starts over"]


def test_a_refused_run_touches_no_topic(topics: _Topics) -> None:
    prepare_place(_options(), LOCAL, "1d", 8000, print)
    with pytest.raises(StopAndSayError, match="--fresh"):
        prepare_place(_options("--start", "2011-01-03"), LOCAL, "1d", 8000, print)
    assert len(topics.made) == 1
    assert read_kept_runs(Path("var") / KEPT_RUNS)["local"].start == "2010-01-04"


def test_the_embedded_broker_keeps_nothing(topics: _Topics) -> None:
    first = prepare_place(_options(), EMBEDDED, "1d", 8000, print)
    first.data_directory.mkdir(parents=True)
    topics.new = []
    prepare_place(_options("--start", "2011-01-03"), EMBEDDED, "1d", 8000, print)
    assert not first.data_directory.exists()
    assert read_kept_runs(Path("var") / KEPT_RUNS) == {}
    assert topics.made[0].kafka_embedded


def test_topics_of_a_cluster_are_not_ours_to_delete(topics: _Topics) -> None:
    said: list[str] = []
    prepare_place(_options(), CLUSTER, "1d", 8000, said.append)
    prepare_place(_options("--fresh"), CLUSTER, "1d", 8000, said.append)
    assert topics.deleted == []
    assert said[-1] == "the topics with the prefix '' stay on the cluster: they are not ours to delete"


@pytest.mark.parametrize(
    ("host", "asked"),
    [("127.0.0.2", "127.0.0.2"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")],  # noqa: S104
)
def test_gateway_and_services_are_asked_where_they_listen(
    host: str, asked: str, topics: _Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKCAST_GATEWAY_HOST", host)
    monkeypatch.setenv("TICKCAST_METRICS_HOST", host)
    place = prepare_place(_options(), EMBEDDED, "1d", 8123, print)
    assert place.url == f"http://{asked}:8123"
    assert place.health_url("predictor") == f"http://{asked}:{place.metrics_ports['predictor']}/health"


def test_other_commands_are_told_where_the_system_is_and_what_it_plays(topics: _Topics) -> None:
    options = _options("--source", "file:my prices.csv", "--start", "2024-01-03")
    place = prepare_place(options, EMBEDDED, "1h", 8123, print)
    told = running_variables(options.settings, "1h", place)
    assert told.keys() & SOURCE_VARIABLES == source_variables(options.settings, "1h").keys()
    assert told == {
        "TICKCAST_SOURCE": f"file:{Path.cwd()}/my prices.csv",
        "TICKCAST_INTERVAL": "1h",
        "TICKCAST_START": "2024-01-03",
        "TICKCAST_TICKERS": "",
        "TICKCAST_LOOP": "false",
        "TICKCAST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:22337",
        "TICKCAST_KAFKA_EMBEDDED": "true",
        "TICKCAST_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "TICKCAST_REPLICATION_FACTOR": "1",
        "TICKCAST_TOPIC_PREFIX": "",
        "TICKCAST_DATA_DIRECTORY": "var/feature_stream/embedded",
        "TICKCAST_URL": "http://127.0.0.1:8123",
    }
