"""Why a cluster lets nobody in: librdkafka's calls only time out, and its error callback is told."""

import re
from collections.abc import Mapping
from typing import Any

from schemas.errors import StopAndSayError

#: Where a connection was, and when: librdkafka's words for people stand between.
_PLACE_AND_AGE = re.compile(r"^\S+://\S+: | \(after \d+ms.*$")


class Refusal:
    """A client's `error_cb`: keeps what its brokers say."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take the client's configuration, for the names in what is said."""
        self._address = config["bootstrap.servers"]
        self._user = config.get("sasl.username", "")
        self._mechanism = config.get("sasl.mechanism", "SASL")
        self._in_plain = not config.get("security.protocol", "PLAINTEXT").endswith("SSL")
        self._final: str | None = None
        self._first_words: str | None = None

    def __call__(self, error: Any) -> None:
        """Take a `KafkaError`."""
        name, words = error.name(), _PLACE_AND_AGE.sub("", error.str())
        if name == "_AUTHENTICATION":
            self._final = (
                f"the Kafka broker at {self._address} refuses the user {self._user!r} with {self._mechanism} "
                f"({words}): "
                "correct TICKCAST_KAFKA_SASL_USERNAME, TICKCAST_KAFKA_SASL_PASSWORD or TICKCAST_KAFKA_SASL_MECHANISM"
            )
        elif name == "_SSL" and "certificate verify failed" in words:
            self._final = (
                f"the certificate of the Kafka broker at {self._address} cannot be verified: set "
                "TICKCAST_KAFKA_SSL_CA_FILE to the certificate of who signed it, and TICKCAST_KAFKA_BOOTSTRAP_SERVERS "
                "to a name that stands in it"
            )
        elif name != "_ALL_BROKERS_DOWN":  # it follows on each of the others
            self._first_words = self._first_words or words

    def explain(self, words: str) -> str:
        """Give what the connections said first, else these words of a call that failed.

        A listener that wants TLS ends a plain connection without a word, and librdkafka then says none.
        """
        if self._first_words is None and self._in_plain:
            return f"{words} (does it want TLS? Then set TICKCAST_KAFKA_SECURITY_PROTOCOL)"
        return self._first_words or words

    def stop_where_final(self) -> None:
        """Return where trying again may help.

        Raises:
            StopAndSayError: The cluster knows no such user, or we do not know the cluster; the line names the settings.
        """
        if self._final is not None:
            raise StopAndSayError(self._final)
