"""All keys in memory, and the connections that were opened with each."""

from collections.abc import Callable, Iterable

from gateway.access.keys import ApiKey, digest_of


class KeyRing:
    """Finds a key by its text in one look-up, and tells open connections of every change of theirs."""

    def __init__(self) -> None:
        self._by_digest: dict[str, ApiKey] = {}
        self._by_id: dict[str, ApiKey] = {}
        self._watchers: dict[str, set[Callable[[ApiKey], None]]] = {}

    def accept(self, keys: Iterable[ApiKey]) -> None:
        """Take keys as they are now; those that did not change tell nobody."""
        for key in keys:
            if self._by_id.get(key.id) == key:
                continue
            self._by_id[key.id] = self._by_digest[key.sha256] = key
            for told in tuple(self._watchers.get(key.id, ())):
                told(key)

    def find(self, text: str) -> ApiKey | None:
        """Give the key of a text, whatever its state."""
        return self._by_digest.get(digest_of(text))

    def watch(self, key: ApiKey, told: Callable[[ApiKey], None]) -> None:
        """Have changes of a key told, at first as it is now, until `leave`."""
        self._watchers.setdefault(key.id, set()).add(told)
        told(self._by_id.get(key.id, key))

    def leave(self, key: ApiKey, told: Callable[[ApiKey], None]) -> None:
        """Tell no more."""
        watchers = self._watchers.get(key.id, set())
        watchers.discard(told)
        if not watchers:
            self._watchers.pop(key.id, None)
