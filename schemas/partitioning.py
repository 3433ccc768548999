"""Which partition a ticker lives on: Kafka's murmur2, as in the Java client, aiokafka and Faust."""

from functools import lru_cache

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Hash bytes as `org.apache.kafka.common.utils.Utils.murmur2` does, as an unsigned 32-bit number."""
    length = len(data)
    digest = (_SEED ^ length) & _MASK
    tail = length % 4
    for position in range(0, length - tail, 4):
        word = int.from_bytes(data[position : position + 4], "little")
        word = (word * _MULTIPLIER) & _MASK
        word = ((word ^ (word >> 24)) * _MULTIPLIER) & _MASK
        digest = ((digest * _MULTIPLIER) & _MASK) ^ word
    if tail:
        digest ^= int.from_bytes(data[length - tail :], "little")
        digest = (digest * _MULTIPLIER) & _MASK
    digest = ((digest ^ (digest >> 13)) * _MULTIPLIER) & _MASK
    return digest ^ (digest >> 15)


@lru_cache(maxsize=1_048_576)
def partition_of(ticker: str, partitions: int) -> int:
    """Give the partition of a ticker, the same one that every Kafka client gives to it as a key."""
    return (murmur2(ticker.encode()) & 0x7FFFFFFF) % partitions
