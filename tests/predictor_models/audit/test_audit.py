"""The command: all checks on a small span of real prices, and what it says when one fails."""

import json

import pytest

from predictor.training.audit import checks
from predictor.training.audit.__main__ import main
from predictor.training.audit.findings import Finding, digest, first_difference
from tests.predictor_models.examples import random_walk

CHECKS = ["features", "warm_up", "boards", "folds", "scaling", "intervals", "training", "skill"]


@pytest.fixture(autouse=True)
def _no_threads_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command's own setting end with the test."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "1")


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


@pytest.mark.slow
def test_the_product_passes_the_quick_audit(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("--quick", "--json", "--to", "2008-01-02")
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert [check["problem"] for check in found["checks"]] == [None] * len(CHECKS)
    assert (code, found["passed"]) == (0, True)
    assert [check["name"] for check in found["checks"]] == CHECKS
    assert found["through"] == "2008-01-01T00:00:00Z", "no bar after what was asked for"
    assert "8 of 8: skill ..." in printed.err


@pytest.mark.slow
def test_a_leak_is_said_and_ends_with_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leak, none = Finding("features", "2 rows", "it knows too much"), Finding("folds", "3 splits", None)
    monkeypatch.setattr(checks, "checks_of", lambda _: {"features": lambda: leak, "folds": lambda: none})
    assert run("--quick", "--to", "2008-01-02") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("LEAK  features")
    assert said[1].strip() == "it knows too much"
    assert said[2].startswith("ok    folds")
    assert said[3] == "1 of 2 checks failed: features"
    assert run("--quick", "--json", "--to", "2008-01-02") == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


def test_a_source_without_bars_before_the_end_stops_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--quick", "--to", "1990-01-01") == 78
    assert "move it with --to" in capsys.readouterr().err


def test_bits_are_compared_and_not_values() -> None:
    columns = random_walk(1, 5)
    assert digest(columns.open) == digest(columns.open.copy())
    assert digest(columns.open) != digest(columns.open.astype("float32"))
    assert first_difference({"a": 0.0}, {"a": -0.0}) == "a"
    assert first_difference({"a": float("nan")}, {"a": float("nan")}) is None
    assert first_difference({"a": 1.0, "b": 2.0}, {"a": 1.0}) == "b"
    assert first_difference({}, {"c": None}) == "c"
