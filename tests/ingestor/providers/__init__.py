"""Local servers that speak the providers' protocols; `FAKES` is the table of them."""

from collections.abc import Callable

from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.alphavantage import FakeAlphaVantage
from tests.ingestor.providers.fake import FakeProvider
from tests.ingestor.providers.finnhub import FakeFinnhub
from tests.ingestor.providers.polygon import FakePolygon
from tests.ingestor.providers.yahoo import FakeYahoo

FAKES: dict[str, Callable[[], FakeProvider]] = {
    "alpaca": FakeAlpaca,
    "alphavantage": FakeAlphaVantage,
    "finnhub": FakeFinnhub,
    "polygon": FakePolygon,
    "yahoo": FakeYahoo,
}
