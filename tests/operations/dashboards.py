"""The dashboards that are shipped, read for tests."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))

Document = dict[str, Any]

_VALUES = {"job": "tickcast", "horizon": "1", "__rate_interval": "2m", "__range": "2m"}


class Query(NamedTuple):
    """What a panel, an annotation or a variable asks Prometheus."""

    dashboard: str
    asker: str
    expression: str


def read(file: Path) -> Document:
    """Give a dashboard."""
    document: Document = json.loads(file.read_text())
    return document


def shown(dashboard: Document) -> list[Document]:
    """Give the panels that show something: rows are titles."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def annotations(dashboard: Document) -> list[Document]:
    """Give those that ask Prometheus."""
    return [each for each in dashboard["annotations"]["list"] if "expr" in each]


def panel_queries(file: Path) -> Iterator[Query]:
    """Give all that panels ask, with values in the place of variables, and rates over two minutes."""
    for panel in shown(read(file)):
        for target in panel["targets"]:
            yield Query(file.stem, panel["title"], filled_in(target["expr"]))


def queries(file: Path) -> Iterator[Query]:
    """Give likewise all that panels and annotations ask."""
    yield from panel_queries(file)
    for annotation in annotations(read(file)):
        yield Query(file.stem, annotation["name"], filled_in(annotation["expr"]))


def filled_in(expression: str) -> str:
    """Put values in the place of variables; what has none is left, and is no PromQL."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: _VALUES.get(found[1], found[0]), expression)
