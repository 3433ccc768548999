"""`tickcast drift`: what it says of a board, and which board it finds."""

import json
import subprocess
import sys
from typing import Any

import pytest

from feature_stream.drift_command import newest_board
from feature_stream.drift_words import as_json, as_lines
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import Scoreboard
from schemas.identity import scoreboard_id
from schemas.partitioning import partition_of
from schemas.settings import Settings
from schemas.times import from_rfc3339
from tests.brokers import BrokerUnderTest
from tests.processes import clean_environment

STABLE = {
    "dates": "700",
    "error": "stable",
    "error_dates": "0",
    "error_excess": "0.120",
    "loss": "stable",
    "loss_dates": "0",
    "loss_excess": "0.000",
    "retrain": "no",
}
LOSS = STABLE | {"loss": "alarm", "loss_dates": "3", "loss_excess": "1.250", "retrain": "asked"}
ERROR = STABLE | {"error": "alarm", "error_dates": "61", "error_excess": "2.000", "retrain": "asked"}
THROUGH_NS = from_rfc3339("2012-03-01")


def board(drift: dict[str, str], ticker: str = "*", through_ns: int = THROUGH_NS, **fields: Any) -> Scoreboard:
    given: dict[str, Any] = {
        "id": scoreboard_id(ticker, "1d", through_ns, "content"),
        "ticker": ticker,
        "interval": "1d",
        "model_set": "set-a",
        "through_ns": through_ns,
        "bar_index": 1,
        "horizons": [],
        "weights_version": "prior",
        "intervals_version": "holdout",
        "source_partition": -1,
        "source_offset": 1,
        "updated_at_ns": 5,
        "drift": drift,
    }
    return Scoreboard(**(given | fields))


def test_a_stable_state_is_said_with_how_far_it_is_from_an_alarm() -> None:
    first, error, loss, verdict = as_lines(board(STABLE))
    assert first == "model set set-a (1d), through 2012-03-01T00:00:00Z, over 700 dates"
    assert error.strip().startswith("error   stable, at 12% of its threshold")
    assert loss.strip().startswith("loss    stable, at 0% of its threshold")
    assert verdict == "no retrain is asked for"


@pytest.mark.parametrize(
    ("drift", "state", "verdict"),
    [
        (LOSS, "in alarm for 3 dates, at 125%", "a retrain of set-a is asked for: the loss is larger than it was"),
        (ERROR, "in alarm for 61 dates, at 200%", "the error is larger than it was and it has lasted"),
        (LOSS | {"loss_dates": "1"}, "in alarm for 1 date, at", "a retrain of set-a"),
    ],
)
def test_an_alarm_is_said_with_since_when_and_what_it_asks_for(drift: dict[str, str], state: str, verdict: str) -> None:
    lines = as_lines(board(drift))
    assert any(state in line for line in lines)
    assert verdict in lines[-1]


def test_inputs_are_information_and_few_dates_are_said() -> None:
    lines = as_lines(board(STABLE | {"inputs": "volatility", "inputs_psi": "1.500", "dates": "40"}))
    assert any("volatility moved most, index 1.500: information, asks for nothing" in line for line in lines)
    assert any("so few dates tell little" in line for line in lines)


def test_a_board_without_drift_says_that_nothing_is_known() -> None:
    assert as_lines(board({}))[-1].startswith("nothing is known of drift")


def test_json_has_the_same_facts() -> None:
    facts = json.loads(as_json(board(LOSS | {"inputs": "return", "inputs_psi": "0.300"})))
    assert (facts["model_set"], facts["retrain"], facts["because_of"], facts["dates"]) == ("set-a", True, "loss", 700)
    assert facts["loss"] == {"alarm": True, "dates_in_alarm": 3, "share_of_threshold": 1.25}
    assert facts["inputs"] == {"moved_most": "return", "psi": 0.3}
    assert json.loads(as_json(board({})))["inputs"] is None


def test_the_newest_board_of_all_is_found_behind_many_others(broker: BrokerUnderTest) -> None:
    settings = broker.settings(Settings)
    assert newest_board(settings) is None
    broker.produce("scores", board(STABLE), board(LOSS, through_ns=THROUGH_NS + 1), key="*")
    broker.produce("scores", b"no board", key="*")
    broker.produce("scores", board(ERROR, interval="1h", through_ns=THROUGH_NS + 9), key="*")
    # In the partition of `*`: more than a first look reaches back.
    broker.produce("scores", *[board({}, ticker="T")] * 1_100, partition=partition_of("*", 4))
    found = newest_board(settings)
    assert found is not None
    assert found.drift == LOSS


def run_drift(broker: BrokerUnderTest, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "feature_stream.drift_command", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=clean_environment() | broker.environment()
    )


def test_the_command_says_it_and_exits_with_0_and_with_78_where_there_is_nothing(kafka: BrokerUnderTest) -> None:
    nothing = run_drift(kafka)
    assert (nothing.returncode, "no board of all tickers yet" in nothing.stderr) == (EXIT_STOP_AND_SAY, True)
    kafka.produce("scores", board(LOSS), key="*")
    said = run_drift(kafka)
    assert (said.returncode, said.stdout.splitlines()) == (0, as_lines(board(LOSS)))
    assert json.loads(run_drift(kafka, "--json").stdout)["retrain"] is True
