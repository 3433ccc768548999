import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from schemas.metrics import METRICS, OLDEST_AGES, Metric


def made(metric: Metric, registry: CollectorRegistry) -> None:
    """Make a metric of its kind and use it once."""
    make: Any = {"counter": metric.counter, "gauge": metric.gauge, "histogram": metric.histogram}[metric.kind]
    thing = make(registry)
    child = thing.labels(*metric.labels) if metric.labels else thing
    if metric.kind == "histogram":
        child.observe(0.02)
    else:
        child.inc()


def test_there_are_metrics_and_no_two_share_a_name() -> None:
    assert len(METRICS) > 15
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_says_whose_it_is_and_its_unit(metric: Metric) -> None:
    assert re.fullmatch(r"tickcast(_[a-z0-9]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    if metric.kind == "histogram":
        assert metric.name.endswith(("_seconds", "_size"))
        assert list(metric.buckets) == sorted(set(metric.buckets))
    if metric.kind == "gauge":
        assert metric.name.endswith("s"), "a gauge counts something: its name is a plural or a unit"
    assert metric.help.endswith(".")


def test_no_label_is_a_ticker_one_bounded_gauge_apart() -> None:
    """Every value of a label is a series that Prometheus keeps. What `path` and `route` say is tested on a gateway."""
    assert [metric.name for metric in METRICS if "ticker" in metric.labels] == [OLDEST_AGES.name]
    known = {
        *("bytes", "end", "horizon", "kind", "level", "part", "path", "reason", "result", "route", "source", "status"),
        *("action", "test", "ticker", "topic", "type", "until", "worker"),
        *("before", "bound", "code", "member", "model_set", "of", "role"),
    }
    assert {label for metric in METRICS for label in metric.labels} == known, "one more: what are its values?"


def test_all_can_be_made_side_by_side_and_scraped() -> None:
    registry = CollectorRegistry()
    for metric in METRICS:
        made(metric, registry)
    scraped = {family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())}
    for metric in METRICS:
        family = scraped[metric.name.removesuffix("_total")]
        assert family.type == metric.kind
        assert family.documentation == metric.help
        wanted = set(metric.labels)
        assert all(set(sample.labels) - {"le"} == wanted for sample in family.samples)
