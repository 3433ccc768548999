"""How every service reaches the cluster: plain, or with TLS and a password."""

import ssl
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from schemas.certificates import KeyPair, UnusableFileError, client_context

_USERNAME, _PASSWORD = "TICKCAST_KAFKA_SASL_USERNAME", "TICKCAST_KAFKA_SASL_PASSWORD"
_PASSWORD_FILE = f"{_PASSWORD}_FILE"
_PROTOCOL = "TICKCAST_KAFKA_SECURITY_PROTOCOL"
_SASL_FIELDS = ("kafka_sasl_username", "kafka_sasl_password", "kafka_sasl_password_file")
_SSL_FIELDS = ("kafka_ssl_ca_file", "kafka_ssl_certificate_file", "kafka_ssl_key_file", "kafka_ssl_key_password")


class KafkaSettings(BaseSettings):
    """The connection. One that cannot work is refused when the settings are read, with the setting and the fix."""

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str = ""
    kafka_sasl_password: SecretStr = SecretStr("")
    kafka_sasl_password_file: str = Field("", description="Holds the password, instead of the setting")
    kafka_ssl_ca_file: str = Field(
        "", description="Who signed the brokers' certificates; empty: who this machine trusts"
    )
    kafka_ssl_certificate_file: str = Field("", description="Ours, where the cluster wants one")
    kafka_ssl_key_file: str = ""
    kafka_ssl_key_password: SecretStr = SecretStr("")

    @property
    def kafka_uses_tls(self) -> bool:
        """Tell whether the connection is encrypted."""
        return self.kafka_security_protocol.endswith("SSL")

    @property
    def kafka_uses_sasl(self) -> bool:
        """Tell whether the cluster is told a user and a password."""
        return self.kafka_security_protocol.startswith("SASL")

    def kafka_password(self) -> str:
        """Give the user's password; from its file as it is now, without the end of its line.

        Raises:
            UnusableFileError: The file cannot be read, or is empty.
        """
        if not self.kafka_sasl_password_file:
            return self.kafka_sasl_password.get_secret_value()
        try:
            password = Path(self.kafka_sasl_password_file).read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise UnusableFileError(
                f"{_PASSWORD_FILE}: {self.kafka_sasl_password_file} cannot be read ({why})"
            ) from None
        if not password:
            raise UnusableFileError(
                f"{_PASSWORD_FILE}: {self.kafka_sasl_password_file} is empty: write the password into it"
            )
        return password

    def kafka_tls(self) -> ssl.SSLContext | None:
        """Give the context for clients that take one; None where the connection is not encrypted.

        Raises:
            UnusableFileError: A file is not as it should be.
        """
        if not self.kafka_uses_tls:
            return None
        ours = KeyPair(
            "TICKCAST_KAFKA_SSL",
            self.kafka_ssl_certificate_file,
            self.kafka_ssl_key_file,
            self.kafka_ssl_key_password.get_secret_value(),
        )
        return client_context("TICKCAST_KAFKA_SSL_CA_FILE", self.kafka_ssl_ca_file, ours)

    def kafka_config(self) -> dict[str, str]:
        """Give the connection in librdkafka's names, with the password in it: print it nowhere."""
        config = {
            "bootstrap.servers": self.kafka_bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
        }
        if self.kafka_uses_tls:
            config["ssl.ca.location"] = self.kafka_ssl_ca_file
            config["ssl.certificate.location"] = self.kafka_ssl_certificate_file
            config["ssl.key.location"] = self.kafka_ssl_key_file
            config["ssl.key.password"] = self.kafka_ssl_key_password.get_secret_value()
        if self.kafka_uses_sasl:
            config["sasl.mechanism"] = self.kafka_sasl_mechanism
            config["sasl.username"] = self.kafka_sasl_username
            config["sasl.password"] = self.kafka_password()
        return {name: value for name, value in config.items() if value}

    @model_validator(mode="after")
    def _can_connect(self) -> Self:
        self._check_protocol()
        try:
            if self.kafka_uses_sasl:
                self._check_user()
            self.kafka_tls()
        except UnusableFileError as error:
            raise ValueError(str(error)) from error
        return self

    def _check_protocol(self) -> None:
        """Refuse secrets that the protocol leaves unused. `PLAINTEXT`, said aloud, means it: `tickcast run` says so of
        a broker of its own, whatever cluster `.env` describes."""
        if self.kafka_security_protocol == "PLAINTEXT" and "kafka_security_protocol" in self.model_fields_set:
            return
        for used, fields, fix in (
            (self.kafka_uses_sasl, _SASL_FIELDS, "SASL_SSL (or SASL_PLAINTEXT)"),
            (self.kafka_uses_tls, _SSL_FIELDS, "SASL_SSL (or SSL)"),
        ):
            given = [name for name in fields if name in self.model_fields_set and self._value(name)]
            if given and not used:
                raise ValueError(
                    f"TICKCAST_{given[0].upper()} has no effect while {_PROTOCOL} is {self.kafka_security_protocol}: "
                    f"set that to {fix}, or take the former away"
                )

    def _value(self, name: str) -> str:
        value: str | SecretStr = getattr(self, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    def _check_user(self) -> None:
        because = f"is missing, and {_PROTOCOL} is {self.kafka_security_protocol}"
        if not self.kafka_sasl_username:
            raise ValueError(f"{_USERNAME} {because}: set it to the user's name")
        if self.kafka_sasl_password.get_secret_value() and self.kafka_sasl_password_file:
            raise ValueError(f"{_PASSWORD} and {_PASSWORD_FILE} are both set: keep one")
        if not self.kafka_password():
            raise ValueError(f"{_PASSWORD} {because}: set it, or {_PASSWORD_FILE} to a file that holds it")
