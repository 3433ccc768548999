"""Versions of what is kept: today's is read as it is, an earlier one through its migrations, any other is refused."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from schemas.errors import StopAndSayError

State = TypeVar("State", bound=Struct)

#: The fields of a snapshot in their order, without the version.
Parts = list[Any]
#: Makes the fields of one version from those of the version before.
Migration = Callable[[Parts], Parts]


class SnapshotError(StopAndSayError):
    """A snapshot that this version cannot read: going on would forget or invent history."""


class Versions(Generic[State]):
    """Reads the snapshots of one kind of state."""

    def __init__(self, state_type: type[State], newest: int, what: str, migrations: Mapping[int, Migration]) -> None:
        """Take what is known.

        Args:
            state_type: Array-like, tagged with the newest version.
            newest: The version that is written.
            what: The kind of state, in words.
            migrations: By the version that they start from; without a gap up to the newest.
        """
        self._decoder = msgspec.msgpack.Decoder(state_type)
        self._newest = newest
        self._what = what
        self._migrations = migrations

    def read(self, data: bytes) -> State:
        """Read a state that behaves as the one that was written.

        Raises:
            SnapshotError: The bytes are of a version without a way to this one, or no snapshot.
        """
        try:
            return self._decoder.decode(data)
        except msgspec.DecodeError as error:
            try:
                return self._decoder.decode(self._migrated(data))
            except (msgspec.DecodeError, LookupError, TypeError, ValueError):
                raise SnapshotError(self._refusal(data, error)) from error

    def _migrated(self, data: bytes) -> bytes:
        version, *parts = msgspec.msgpack.decode(data)
        while version < self._newest:
            parts = self._migrations[version](parts)
            version += 1
        return msgspec.msgpack.encode([version, *parts])

    def _refusal(self, data: bytes, error: Exception) -> str:
        first, last = min(self._migrations, default=self._newest), self._newest
        known = f"{first} to {last}" if first < last else str(last)
        return (
            f"{self._what} in the changelog is of snapshot version {_version_of(data)}, this Tickcast reads {known} "
            f"({error}): run the version of Tickcast that wrote it, or start with another TICKCAST_TOPIC_PREFIX "
            "(`--fresh`)"
        )


def _version_of(data: bytes) -> str:
    try:
        return str(int(msgspec.msgpack.decode(data)[0]))
    except (msgspec.DecodeError, LookupError, TypeError, ValueError):
        return "unknown"
