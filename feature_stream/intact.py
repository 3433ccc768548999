"""Checks what a fetch has brought against its checksums, in hardware.

aiokafka's own check takes ten times as long, and holds Python's lock meanwhile.
"""

from struct import Struct

from aiokafka.errors import CorruptRecordException
from google_crc32c import implementation
from google_crc32c import value as crc32c

#: Else it is a loop in Python, a thousand times slower, and aiokafka's own check is better.
CHECKS_IN_HARDWARE = implementation == "c"

#: Of a record batch: base offset, bytes after this field, leader's epoch, version, checksum of what follows it.
_HEADER = Struct(">qiibI")
_LENGTH_ENDS_AT = 12
#: Brokers speak no other since Kafka 3.0.
_VERSION = 2


def require_intact(batches: bytes) -> None:
    """Check the record batches that a fetch has of one partition; the last may be cut short, as Kafka may send it.

    Raises:
        CorruptRecordException: One is not what was written.
    """
    at = 0
    while at + _HEADER.size <= len(batches):
        base_offset, length, _, version, checksum = _HEADER.unpack_from(batches, at)
        end = at + _LENGTH_ENDS_AT + length
        if version != _VERSION or length < _HEADER.size - _LENGTH_ENDS_AT:
            raise CorruptRecordException(
                f"the record batch at offset {base_offset} is of version {version}, from before Kafka 0.11"
            )
        if end > len(batches):
            return
        if crc32c(batches[at + _HEADER.size : end]) != checksum:
            raise CorruptRecordException(f"the record batch at offset {base_offset} differs from its checksum")
        at = end
