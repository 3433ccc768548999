"""What the recorder cannot write is kept as dead letters and counted, so that an alert can see it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from msgspec import structs
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.recorder.figures import Figures
from gateway.recorder.recorder import Recorder
from gateway.recorder.settings import RecorderSettings
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.events import Bar
from schemas.status import StatusBoard
from schemas.topics import BARS
from tests.gateway.recorder.events import example, recorded


def _message(offset: int, value: bytes) -> Any:
    message = MagicMock()
    message.topic.return_value, message.partition.return_value, message.offset.return_value = BARS.name, 0, offset
    message.key.return_value, message.value.return_value = b"AAPL", value
    return message


class _Reader:
    """Reads its messages once, then says that this is the end."""

    topics = {BARS.name: BARS.name}  # noqa: RUF012

    def __init__(self, *values: bytes) -> None:
        self.messages = [_message(offset, value) for offset, value in enumerate(values)]

    def read(self, _timeout_seconds: float) -> list[Any]:
        messages, self.messages = self.messages, []
        return messages

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: {}


class _Teller:
    def __init__(self) -> None:
        self.kept: list[DeadLetter] = []

    def keep(self, letters: Iterable[DeadLetter]) -> int:
        before = len(self.kept)
        self.kept += letters
        return len(self.kept) - before


def test_what_is_no_event_and_what_the_database_refuses_are_counted_by_reason_from_0_on(tmp_path: Path) -> None:
    settings = RecorderSettings(_env_file=None, database_url=SecretStr(f"sqlite:///{tmp_path}/history.db"))
    engine, registry, teller = open_engine(settings), CollectorRegistry(), _Teller()
    migrate(engine)
    figures = Figures(StatusBoard("recorder", "r1"), registry)

    def counted() -> dict[str, float | None]:
        reasons = ("undecodable", "refused")
        return {
            reason: registry.get_sample_value("tickcast_dead_letters_total", {"reason": reason}) for reason in reasons
        }

    assert counted() == {"undecodable": 0, "refused": 0}, "an increase is only seen of what was there before"
    bar = example(Bar)
    reader: Any = _Reader(b"nonsense", encode(bar), encode(structs.replace(bar, bar_index=2**63)), b"{}")
    recorder: Any = Recorder(settings, engine, reader, teller, figures, lambda: None)  # type: ignore[arg-type]
    recorder.run(lambda: not reader.messages)
    assert counted() == {"undecodable": 2, "refused": 1}
    assert [letter.offset for letter in teller.kept] == [0, 3, 2]
    assert len(recorded(engine)["bars"]) == 1
    engine.dispose()
