"""Our partition of a ticker against the clients that others use."""

import string

import aiokafka.partitioner
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from hypothesis import given
from hypothesis import strategies as st

from schemas.partitioning import murmur2, partition_of

TICKERS = ["A", "FB", "IBM", "AAPL", "GOOGL", "BRK.B", "BF-B", "SIM00042", "ABCDEFGHIJ", *string.ascii_uppercase]


@given(st.binary(max_size=64))
def test_murmur2_is_aiokafkas(data: bytes) -> None:
    assert murmur2(data) == aiokafka.partitioner.murmur2(data)


@pytest.mark.parametrize(
    ("data", "java"),
    [  # from Apache Kafka's own UtilsTest.testMurmur2, as signed 32-bit numbers
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_javas(data: bytes, java: int) -> None:
    assert murmur2(data) == java % 2**32


@given(
    ticker=st.from_regex(r"[A-Z][A-Z0-9.\-]{0,9}", fullmatch=True),
    partitions=st.integers(1, 1_000),
)
def test_a_tickers_partition_is_aiokafkas_and_fausts(ticker: str, partitions: int) -> None:
    everywhere = list(range(partitions))
    theirs = aiokafka.partitioner.DefaultPartitioner()(ticker.encode(), everywhere, everywhere)
    assert partition_of(ticker, partitions) == theirs


@pytest.mark.integration
def test_a_tickers_partition_is_librdkafkas() -> None:
    cluster = AdminClient({"test.mock.num.brokers": 1, "bootstrap.servers": "x"})
    broker = next(iter(cluster.list_topics(timeout=10).brokers.values()))
    found: dict[str, int] = {}
    producer = Producer({"bootstrap.servers": f"{broker.host}:{broker.port}", "partitioner": "murmur2_random"})
    for ticker in TICKERS:
        producer.produce(
            "keyed",
            key=ticker.encode(),
            on_delivery=lambda error, message: found.update({message.key().decode(): message.partition()}),
        )
    assert producer.flush(20) == 0
    assert found == {ticker: partition_of(ticker, 4) for ticker in TICKERS}
