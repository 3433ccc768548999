"""Settings of HTTPS and WSS."""

import ssl
from typing import Self

from pydantic import Field, SecretStr, model_validator

from schemas.certificates import KeyPair, UnusableFileError, server_context
from schemas.settings import Settings


class TlsSettings(Settings):
    """What the gateway shows that it is; without a certificate it speaks plain HTTP."""

    tls_certificate_file: str = Field("", description="In PEM, with those between it and its authority: HTTPS and WSS")
    tls_key_file: str = ""
    tls_key_password: SecretStr = SecretStr("")

    @property
    def uses_tls(self) -> bool:
        """Tell whether the gateway speaks HTTPS."""
        return bool(self.tls_certificate_file or self.tls_key_file)

    def tls(self) -> ssl.SSLContext:
        """Give the context to serve with.

        Raises:
            UnusableFileError: A file is not as it should be.
        """
        password = self.tls_key_password.get_secret_value()
        return server_context(KeyPair("TICKCAST_TLS", self.tls_certificate_file, self.tls_key_file, password))

    @model_validator(mode="after")
    def _can_serve(self) -> Self:
        if self.uses_tls:
            try:
                self.tls()
            except UnusableFileError as error:
                raise ValueError(str(error)) from error
        return self
