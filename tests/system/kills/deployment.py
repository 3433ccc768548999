"""A trainer and a predictor on two machines, an artifact store, MLflow, and a market of one day after the other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictor.training.mirror_client import open_client
from schemas.broker import wait_until
from schemas.events import CommandAction, ModelCommand, ModelEvent, Prediction
from tests.brokers import BrokerUnderTest
from tests.predictor.feature_events import final
from tests.processes import Processes, ServiceProcess
from tests.records import Record
from tests.system.kills.agreement import (
    assert_answered_once,
    assert_each_predicted,
    assert_whole_in_store,
    shown_mirror,
    wanted_mirror,
)
from tests.system.kills.trap import ARMED

WAIT_SECONDS = 120.0
TICKERS = ("AAPL", "IBM", "MSFT")
#: Who answers where no set serves.
STATISTICAL = "statistical"


@dataclass
class Machine:
    """Where one service runs, with a trap in it."""

    module: str
    home: Path
    broker: BrokerUnderTest
    processes: Processes
    settings: dict[str, Any]

    def __post_init__(self) -> None:
        self.models.mkdir(parents=True)

    @property
    def models(self) -> Path:
        """Give its folder of model sets."""
        return self.home / "models"

    def start(self) -> ServiceProcess:
        """Start the service, or start it again."""
        environment = self.broker.environment(models_directory=self.models, **self.settings)
        self.service = self.processes.start(self.module, environment=environment)
        return self.service

    def arm(self, *points: str) -> None:
        """Let the trap spring at a point; none: at none."""
        for point in points:
            unfinished = self.home / "arming"
            unfinished.write_text(point)
            unfinished.replace(self.home / ARMED)

    def wait_for_kill(self) -> None:
        """Wait until it has sprung."""
        code = self.service.wait(WAIT_SECONDS)
        assert code == -9, f"ended with {code}\n{self.service.output()}"
        assert not (self.home / ARMED).exists(), "killed by something else"


class Deployment:
    """All of them."""

    def __init__(self, broker: BrokerUnderTest, processes: Processes, folder: Path) -> None:
        self._broker = broker
        self.store = folder / "store"
        self._uri = f"sqlite:///{folder / 'mlflow' / 'mlflow.db'}"
        settings = {"artifact_store": self.store, "mlflow_tracking_uri": self._uri, "shadow_budget_ms": 60_000}
        self.trainer = Machine("tests.system.kills.trainer", folder / "trainer", broker, processes, settings)
        self.predictor = Machine("tests.system.kills.predictor", folder / "predictor", broker, processes, settings)
        self._asked: list[str] = []
        self._finals: list[str] = []
        self._days = 0

    def decisions(self) -> list[ModelEvent]:
        """Give all decisions."""
        return [record.event() for record in self._broker.read("models")]

    def ask(self, action: CommandAction, **changes: Any) -> str:
        """Send a command, and give its id."""
        asked = ModelCommand(
            id=f"{len(self._asked):02}", action=action, requested_by="cli/alice", requested_at_ns=1, **changes
        )
        self._asked.append(asked.id)
        self._broker.produce("model-commands", asked, key=asked.scope)
        return asked.id

    def wait_for_first_set(self) -> None:
        """Wait until the trainer has announced one."""
        self._broker.read("models", 1)

    def wait_for_answers(self) -> None:
        """Wait until the trainer has said something on each command."""
        asked = set(self._asked)
        self._broker.read("models", lambda records: asked <= {record.event().command_id for record in records})

    def play_day(self) -> list[str]:
        """Send a final event of each ticker, and give their ids."""
        events = [final(ticker, day=self._days) for ticker in TICKERS]
        self._days += 1
        for event in events:
            self._broker.produce("features", event, key=event.ticker)
        ids = [event.id for event in events]
        self._finals.extend(ids)
        return ids

    def predictions(self) -> list[Prediction]:
        """Wait until all that was played is predicted, and give all predictions."""
        wanted = set(self._finals)

        def enough(records: list[Record]) -> bool:
            return wanted <= {record.event().feature_id for record in records}

        return [record.event() for record in self._broker.read("predictions", enough)]

    def wait_until_predictor_serves(self, name: str | None, challenger: str | None = None) -> None:
        """Play days until the predictor answers with a set, and shows another one beside it."""

        def serves() -> bool:
            day = self.play_day()
            said = {(each.model_set, each.shadow_model_set) for each in self.predictions() if each.feature_id in day}
            return said == {(name or STATISTICAL, challenger)}

        wait_until(serves, seconds=WAIT_SECONDS, what=f"{name} answering, and {challenger} beside it")

    def stop(self) -> None:
        """Stop both, politely."""
        for machine in (self.predictor, self.trainer):
            assert machine.service.stop() == 0, machine.service.output()

    def assert_newest_is_whole(self) -> None:
        """Check the store; it holds in the very moment of a kill too."""
        assert_whole_in_store(self.decisions(), self.store)

    def assert_agree(self) -> None:
        """Check all, once those that run have come to rest."""
        decisions = self.decisions()
        self.assert_newest_is_whole()
        assert_answered_once(decisions, self._asked)
        client, model = open_client(self._uri), f"{self._broker.topic_prefix}tickcast"
        wanted = wanted_mirror(decisions)

        wait_until(lambda: shown_mirror(client, model) == wanted, seconds=WAIT_SECONDS, what=f"MLflow saying {wanted}")
        self.wait_until_predictor_serves(decisions[-1].serving, decisions[-1].challenger)
        sets = {event.serving or STATISTICAL for event in decisions}
        assert_each_predicted(self._finals, self.predictions(), {STATISTICAL, *sets})
