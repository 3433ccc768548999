"""What a board of all tickers says of drift, in words and as JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.events import Scoreboard
from schemas.times import to_rfc3339

_TESTS = {
    "error": "squared error beside its mean of the 250 dates before",
    "loss": "loss against no change, in units of the volatility squared",
}
#: The fewest dates of which the test of the error says something: 60 of a mean, and 30 beside it.
_LEAST_DATES = 90


def drift_facts(board: Scoreboard) -> dict[str, Any]:
    """Give what is known as plain values."""
    drift = board.drift
    facts: dict[str, Any] = {
        "model_set": board.model_set,
        "interval": board.interval,
        "through": to_rfc3339(board.through_ns),
        "updated_at": to_rfc3339(board.updated_at_ns),
        "dates": _number(drift, "dates"),
        "retrain": drift.get("retrain") == "asked",
        "because_of": _because_of(drift),
    }
    for name in _TESTS:
        facts[name] = {
            "alarm": drift.get(name) == "alarm",
            "dates_in_alarm": _number(drift, f"{name}_dates") or 0,
            "share_of_threshold": float(drift.get(f"{name}_excess", 0.0)),
        }
    index = drift.get("inputs_psi")
    facts["inputs"] = None if index is None else {"moved_most": drift.get("inputs", ""), "psi": float(index)}
    return facts


def _number(drift: Mapping[str, str], name: str) -> int | None:
    return int(drift[name]) if name in drift else None


def _because_of(drift: Mapping[str, str]) -> str | None:
    """Name the test that asks for a retrain: the loss does at once, the error when it has lasted."""
    if drift.get("retrain") != "asked":
        return None
    return "loss" if drift.get("loss") == "alarm" else "error"


def as_json(board: Scoreboard) -> str:
    """Give the facts as JSON."""
    return msgspec.json.format(msgspec.json.encode(drift_facts(board)), indent=2).decode()


def as_lines(board: Scoreboard) -> list[str]:
    """Say the facts, a line each."""
    facts = drift_facts(board)
    dates = facts["dates"]
    over = "" if dates is None else f", over {dates} dates"
    lines = [f"model set {facts['model_set']} ({facts['interval']}), through {facts['through']}{over}"]
    if not board.drift:
        return [*lines, "nothing is known of drift: no outcome at one bar has been scored"]
    lines += [_line(name, facts[name]) for name in _TESTS]
    if facts["inputs"] is not None:
        inputs = facts["inputs"]
        lines.append(
            f"  inputs  {inputs['moved_most']} moved most, index {inputs['psi']:.3f}: information, asks for nothing"
        )
    if dates is not None and dates < _LEAST_DATES:
        lines.append(f"  so few dates tell little: the test of the error begins with {_LEAST_DATES}")
    return [*lines, _verdict(facts)]


def _line(name: str, facts: Mapping[str, Any]) -> str:
    since = facts["dates_in_alarm"]
    state = f"in alarm for {since} {'date' if since == 1 else 'dates'}" if facts["alarm"] else "stable"
    return f"  {name:<6}  {state}, at {facts['share_of_threshold']:.0%} of its threshold ({_TESTS[name]})"


def _verdict(facts: Mapping[str, Any]) -> str:
    if not facts["retrain"]:
        return "no retrain is asked for"
    lasting = " and it has lasted" if facts["because_of"] == "error" else ""
    return f"a retrain of {facts['model_set']} is asked for: the {facts['because_of']} is larger than it was{lasting}"
