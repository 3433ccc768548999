"""The shipped rules with time running faster: a test cannot wait for an hour."""

import re
from collections.abc import Callable
from typing import Any

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\d+)([smhd])")
_RANGE = re.compile(r"(?<=\[)\d+[smhd](?=\])|(?<= offset )\d+[smhd]\b")


def scaled(rules: dict[str, Any], factor: float, *, least_range_seconds: int = 1) -> dict[str, Any]:
    """Give rules with each `for`, and each range and offset of an expression, times a factor; all else stays.

    Args:
        rules: As a file of Prometheus holds them.
        least_range_seconds: A range that holds fewer than two scrapes finds nothing.
    """

    def scale_range(found: re.Match[str]) -> str:
        return f"{max(least_range_seconds, _times(found[0], factor))}s"

    groups = [
        {**group, "rules": [_scaled(rule, factor, scale_range) for rule in group["rules"]]} for group in rules["groups"]
    ]
    return {**rules, "groups": groups}


def _scaled(rule: dict[str, Any], factor: float, scale_range: Callable[[re.Match[str]], str]) -> dict[str, Any]:
    faster = {**rule, "expr": _RANGE.sub(scale_range, rule["expr"])}
    if "for" in rule:
        faster["for"] = f"{_times(rule['for'], factor)}s"
    return faster


def _times(duration: str, factor: float) -> int:
    """Give a duration times a factor in whole seconds, one at least."""
    found = _DURATION.fullmatch(duration)
    assert found is not None, f"{duration} is no duration of one unit"
    return max(1, round(int(found[1]) * _SECONDS[found[2]] * factor))
