"""`tickcast models`: what is asked of the trainer, and what it answers."""

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from predictor.commanding.answers import Answer, answer_in_event, answer_in_status
from predictor.commanding.arguments import command_of, parse
from predictor.commanding.broker import Answers, send_command
from predictor.commanding.listing import Found, now_line, rows_of, table
from predictor.saving import Challenger, model_event, with_challenger
from predictor.settings import PredictorSettings
from predictor.store import ArtifactStore
from predictor.stored_sets import put_set
from predictor.training.announce import read_decisions
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.events import (
    CommandAction,
    CommandProgress,
    ModelAction,
    ModelCommand,
    ModelEvent,
    ModelRole,
    RetrainKind,
    ServiceState,
    ServiceStatus,
)
from tests.brokers import BrokerUnderTest
from tests.predictor.forecasters import Momentum, a_set
from tests.predictor.stores import manifest_digest, save_small_set
from tests.processes import Processes, ServiceProcess

SECOND_NS = 1_000_000_000


def asked(*words: str) -> ModelCommand:
    return command_of(parse(words), "person/1", "cli/alice", 7)


def decided(name: str, action: ModelAction = ModelAction.PROMOTED, seconds: int = 1, **changes: Any) -> ModelEvent:
    model_set = a_set([Momentum("forest", 1.0)], [1.0], name=name, train_end_ns=100 * SECOND_NS)
    event = model_event(model_set.manifest, model_set.folder, action, "trainer", "not worse", seconds * SECOND_NS)
    return structs.replace(event, **changes)


def report(progress: CommandProgress | None, service: str = "trainer") -> ServiceStatus:
    return ServiceStatus(
        service=service,
        instance="test",
        version="1",
        state=ServiceState.READY,
        started_at_ns=1,
        updated_at_ns=2,
        memory_bytes=1,
        commands=[] if progress is None else [progress],
    )


def progress(state: str, message: str = "", command_id: str = "person/1", share: float = 0.0) -> CommandProgress:
    return CommandProgress(id=command_id, action="load", state=state, progress=share, message=message)


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (["load", "set-a"], {"action": CommandAction.LOAD, "model_set": "set-a", "role": ModelRole.SERVING}),
        (
            ["load", "set-a", "--challenger", "--share", "0.1"],
            {"model_set": "set-a", "role": ModelRole.CHALLENGER, "share": 0.1},
        ),
        (["load", "set-a", "--challenger"], {"role": ModelRole.CHALLENGER, "share": 0.0}),
        (["unload"], {"action": CommandAction.UNLOAD, "model_set": None, "role": ModelRole.SERVING}),
        (["unload", "--challenger"], {"role": ModelRole.CHALLENGER}),
        (["rollback", "--reason", "it was bad"], {"action": CommandAction.ROLLBACK, "reason": "it was bad"}),
        (["retrain"], {"action": CommandAction.RETRAIN, "kind": RetrainKind.REFRESH, "parameters": {}}),
        (["retrain", "--change"], {"kind": RetrainKind.CHANGE, "parameters": {}}),
    ],
    ids=" ".join,
)
def test_words_become_a_command(words: list[str], fields: dict[str, object]) -> None:
    command = asked(*words)
    assert (command.id, command.requested_by, command.requested_at_ns, command.scope) == (
        "person/1", "cli/alice", 7, "*",
    )  # fmt: skip
    assert {name: getattr(command, name) for name in fields} == fields


def test_parameters_of_a_change_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "parameters.json"
    path.write_text('{"parameters": {"forest": {"min_samples_leaf": 7}}}')
    command = asked("retrain", "--change", "--parameters", str(path))
    assert command.parameters["forest"]["min_samples_leaf"] == 7
    assert command.parameters["xgboost"]["rounds"] is None
    path.write_text('{"parameters": {"forest": {"leaves": 7}}}')
    with pytest.raises(StopAndSayError, match="leaves"):
        asked("retrain", "--change", "--parameters", str(path))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["load"],
        ["load", "set-a", "--share", "0.1"],
        ["load", "set-a", "--challenger", "--share", "1.5"],
        ["load", "set-a", "--challenger", "--share", "0.51"],
        ["load", "set-a", "--challenger", "--share", "-0.1"],
        ["load", "set-a", "--challenger", "--share", "nan"],
        ["retrain", "--parameters", "x.json"],
        ["rollback", "--wait", "0"],
        ["rollback", "--wait", "inf"],
    ],
    ids=" ".join,
)
def test_words_that_make_no_sense_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2


def test_a_decision_answers_its_own_command_alone() -> None:
    event = decided("set-b", command_id="person/1", numbers={"error_ratio": 1.01234, "p_value": 0.4})
    assert answer_in_event(event, "person/2") is None
    assert answer_in_event(structs.replace(event, command_id=None), "person/1") is None
    answer = answer_in_event(event, "person/1")
    assert answer == Answer(
        "promoted set-b: not worse, error_ratio 1.012, p_value 0.4; serving: set-b", done=True, decided=True
    )


def test_a_rejection_is_an_answer_and_not_what_was_asked_for() -> None:
    answer = answer_in_event(decided("set-b", ModelAction.REJECTED, command_id="person/1", serving="set-a"), "person/1")
    assert answer is not None
    assert (answer.done, answer.text) == (False, "rejected set-b: not worse; serving: set-a")


@pytest.mark.parametrize(
    ("state", "done"), [("queued", None), ("running", None), ("done", True), ("refused", False), ("failed", False)]
)
def test_the_trainers_word_on_a_command(state: str, done: bool | None) -> None:
    answer = answer_in_status(report(progress(state, "why", share=0.4)), "person/1")
    assert answer is not None
    assert answer.done is done
    assert answer.text == (f"40% {state}: why" if done is None else f"{state}: why")


def test_other_services_and_other_commands_say_nothing_of_it() -> None:
    assert answer_in_status(report(progress("done"), service="gateway"), "person/1") is None
    assert answer_in_status(report(progress("done", command_id="person/2")), "person/1") is None
    assert answer_in_status(report(None), "person/1") is None


def test_the_rows_tell_who_decided_what_about_each_set_and_what_it_is_now() -> None:
    refused = decided("set-c", ModelAction.REJECTED, 3, serving="set-b", reason="worse", manifest_sha256="b" * 64)
    challenged = decided("set-d", ModelAction.CHALLENGED, 4, serving="set-b", reason="shown")
    challenged = with_challenger(challenged, Challenger("set-d", None, "d" * 64, share=0.1))
    on_disk = a_set([Momentum("forest", 1.0)], [1.0], name="set-new", train_end_ns=200 * SECOND_NS).manifest
    decisions = [challenged, refused, decided("set-b", seconds=2), decided("set-a", seconds=1)]
    rows = {row.model_set: row for row in rows_of(decisions, {"set-new": Found(on_disk, "e" * 64)})}
    assert list(rows) == ["set-b", "set-d", "set-c", "set-a", "set-new"]
    assert {name: row.role for name, row in rows.items() if row.role} == {
        "set-b": "serving", "set-d": "challenger, 10%",
    }  # fmt: skip
    assert [rows[f"set-{name}"].action for name in "abcd"] == ["promoted", "promoted", "rejected", "challenged"]
    assert rows["set-b"].trained_through == "1970-01-01T00:01:40Z"
    assert rows["set-c"].trained_through is None, "the event tells the serving set's"
    assert rows["set-new"].trained_through == "1970-01-01T00:03:20Z"
    assert [rows[name].manifest_sha256 for name in ("set-b", "set-d", "set-a", "set-new")] == [
        "b" * 64, "d" * 64, None, "e" * 64,
    ]  # fmt: skip
    assert [name for name, row in rows.items() if row.on_disk] == ["set-new"]


def test_what_is_written_in_a_decision_does_not_move_the_cursor() -> None:
    event = decided("set-\x1b[2J", reason="tidy\r\n\x1b[31mred" + "x" * 200, decided_at_ns=2**62)
    lines = [*table(rows_of([event], {})), now_line([event])]
    assert all(character.isprintable() for line in lines for character in line)
    assert "…" in lines[1]


def test_what_serves_now_is_said() -> None:
    assert now_line([]) == "no decision on models yet: the statistical forecaster answers"
    assert now_line([decided("set-a")]) == (
        "model set set-a serves; trainer decided so at 1970-01-01T00:00:01Z: not worse"
    )
    assert now_line([decided("set-a", serving=None, reason="bad")]).startswith("no set serves: the statistical")


def test_decisions_are_read_to_the_end_of_every_partition(broker: BrokerUnderTest) -> None:
    settings = broker.settings(PredictorSettings)
    assert read_decisions(settings) == []
    for number in range(8):
        broker.produce("models", decided(f"set-{number}", seconds=number), key=f"set-{number}")
    broker.produce("models", b"garbage", key="x")
    assert [event.model_set for event in read_decisions(settings)] == [f"set-{number}" for number in reversed(range(8))]


@pytest.fixture
def answers(broker: BrokerUnderTest) -> Iterator[Answers]:
    broker.produce("models", decided("set-old", command_id="person/1"), key="set-old")
    with closing(Answers(broker.settings(PredictorSettings), "person/1")) as given:
        yield given


def test_a_command_is_sent_and_what_is_said_of_it_from_then_on_is_heard(
    broker: BrokerUnderTest, answers: Answers
) -> None:
    command = asked("load", "set-a")
    send_command(broker.settings(PredictorSettings), command)
    (record,) = broker.read("model-commands", 1)
    assert (record.key, record.event()) == (b"*", command)
    assert answers.next(0.2) is None, "what was said before it was asked is no answer"
    broker.produce("service-status", b"garbage", report(None), report(progress("running", "fitting")), key="trainer/t")
    heard = answers.next(60)
    assert heard is not None
    assert (heard.text, heard.done) == ("0% running: fitting", None)
    broker.produce("service-status", report(progress("done", "promoted")), key="trainer/t")
    broker.produce("models", decided("set-b", command_id="person/2"), key="set-b")
    broker.produce("models", decided("set-a", command_id="person/1"), key="set-a")
    decision = answers.decision(60)
    assert decision is not None
    assert decision.text.startswith("promoted set-a")


def start(processes: Processes, broker: BrokerUnderTest, *words: str, **settings: object) -> ServiceProcess:
    return processes.start("predictor.commanding", *words, environment=broker.environment(**settings))


def test_the_command_waits_for_the_decision_and_says_what_came_of_it(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    asking = start(processes, kafka, "load", "set-b", "--reason", "a good one")
    command = kafka.read("model-commands", 1)[0].event()
    assert (command.model_set, command.reason) == ("set-b", "a good one")
    assert command.id.startswith("person/")
    assert command.requested_by.startswith("cli/")
    working = report(progress("running", "loading", command_id=command.id, share=0.5))
    kafka.produce("service-status", working, key="trainer/t")
    asking.wait_for(lambda: "50% running: loading" in asking.output(), what="the progress")
    kafka.produce("models", decided("set-b", ModelAction.LOADED, command_id=command.id), key="set-b")
    assert asking.wait() == 0
    assert "loaded set-b: not worse; serving: set-b" in asking.output()


@pytest.mark.parametrize("rejected", [True, False])
def test_a_refusal_is_an_exit_code_and_a_reason(kafka: BrokerUnderTest, processes: Processes, rejected: bool) -> None:
    asking = start(processes, kafka, "rollback")
    command_id = kafka.read("model-commands", 1)[0].event().id
    if rejected:
        event = decided("set-b", ModelAction.REJECTED, command_id=command_id, reason="no set served before")
        kafka.produce("models", event, key="set-b")
    else:
        word = progress("refused", "no set served before", command_id=command_id)
        kafka.produce("service-status", report(word), key="trainer/t")
    assert asking.wait() == 1
    (line,) = [line for line in asking.output().splitlines() if line.startswith("models: ")]
    assert "no set served before" in line


def test_without_a_trainer_it_says_how_to_start_one(kafka: BrokerUnderTest, processes: Processes) -> None:
    asking = start(processes, kafka, "unload", "--wait", "0.5")
    hurried = start(processes, kafka, "unload", "--no-wait")
    assert asking.wait() == 1
    assert "no trainer answered within 0.5 s: start one with `tickcast predictor trainer`" in asking.output()
    assert hurried.wait() == 0
    assert len(kafka.read("model-commands")) == 2


def test_who_waits_no_longer_leaves_the_command(kafka: BrokerUnderTest, processes: Processes) -> None:
    asking = start(processes, kafka, "retrain")
    asking.wait_for(lambda: "sent person/" in asking.output(), what="the command")
    asking.send(signal.SIGINT)
    assert asking.wait() == 1
    assert "no longer waited for" in asking.output()


def test_missing_topics_are_one_line(kafka: BrokerUnderTest, processes: Processes) -> None:
    asking = start(processes, kafka, "list", topic_prefix="nothing.here.")
    assert asking.wait() == EXIT_STOP_AND_SAY
    assert "topic nothing.here.models is missing" in asking.output()


def test_the_list_shows_what_serves_and_where_each_set_lies(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    models, store = tmp_path / "models", ArtifactStore(str(tmp_path / "store"))
    here = save_small_set(models, "set-here", forest=b"1")
    there = save_small_set(tmp_path / "there", "set-there", forest=b"2")
    kafka.produce("models", decided("set-here", manifest_sha256=manifest_digest(here)), key="set-here")
    kafka.produce("models", decided("set-there", seconds=2, manifest_sha256=put_set(store, there)), key="set-there")
    places = {"models_directory": models, "artifact_store": tmp_path / "store"}
    listing, for_machines = (start(processes, kafka, "list", *more, **places) for more in ((), ("--json",)))
    assert (listing.wait(), for_machines.wait()) == (0, 0)
    now, heading, first, second = listing.output().splitlines()
    assert now.startswith("model set set-there serves; trainer decided so at ")
    assert heading.split()[0] == "SET"
    assert (first.split()[:2], first.split()[-2:]) == (["set-there", "serving"], ["no", "yes"])
    assert (second.split()[0], second.split()[-2:]) == ("set-here", ["yes", "no"])
    rows = json.loads(for_machines.output())["models"]
    assert [(row["model_set"], row["on_disk"], row["in_store"]) for row in rows] == [
        ("set-there", False, True),
        ("set-here", True, False),
    ]
