"""TLS contexts from files that settings name. What is wrong with a file is said with its setting and the fix."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_PRIVATE_KEY = b"PRIVATE KEY-----"


class UnusableFileError(OSError):
    """A file that a setting names is not what it should be; the text names both, and the fix."""


@dataclass(frozen=True)
class KeyPair:
    """Who we are: a certificate and its private key, in PEM; empty names where there is none.

    Attributes:
        settings: What the names of the settings begin with, like `TICKCAST_TLS`.
    """

    settings: str
    certificate_file: str
    key_file: str
    key_password: str = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Make a context show this certificate; none where no file is named.

        Raises:
            UnusableFileError: One file is missing beside the other, or they are no certificate and its key.
        """
        certificate, key = f"{self.settings}_CERTIFICATE_FILE", f"{self.settings}_KEY_FILE"
        if not (self.certificate_file or self.key_file):
            return
        if not self.certificate_file:
            raise UnusableFileError(f"{key} is set without {certificate}: set both, or none")
        if not self.key_file:
            raise UnusableFileError(
                f"{certificate} is set without {key}: set both, to the same file where it holds both"
            )
        _require(certificate, self.certificate_file, _CERTIFICATE, "a certificate")
        _require(key, self.key_file, _PRIVATE_KEY, "a private key")
        try:
            # Without a password OpenSSL would ask for it on the terminal.
            context.load_cert_chain(self.certificate_file, self.key_file, password=self.key_password)
        except (ssl.SSLError, ValueError) as error:
            if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
                raise UnusableFileError(
                    f"{key}: {self.key_file} is not the key of the certificate in {certificate}"
                ) from error
            raise UnusableFileError(
                f"{key}: {self.key_file} cannot be read: if it is encrypted, set {self.settings}_KEY_PASSWORD to its "
                f"password; else look whether it and {self.certificate_file} are whole PEM files"
            ) from error


def client_context(ca_setting: str, ca_file: str, ours: KeyPair) -> ssl.SSLContext:
    """Give a context that verifies a server and its host name, from TLS 1.2 on.

    Args:
        ca_setting: Names the file.
        ca_file: The authorities to trust, in PEM; empty: those of this machine.
        ours: Shown to the server.

    Raises:
        UnusableFileError: A file is not as it should be.
    """
    if ca_file:
        _require(ca_setting, ca_file, _CERTIFICATE, "a certificate")
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError as error:
        raise UnusableFileError(f"{ca_setting}: {ca_file} cannot be read as certificates ({error.reason})") from error
    ours.load_into(context)
    return context


def server_context(ours: KeyPair) -> ssl.SSLContext:
    """Give a context of a server that speaks TLS 1.2 and 1.3.

    Raises:
        UnusableFileError: A file is not as it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    ours.load_into(context)
    return context


def _require(setting: str, name: str, mark: bytes, what: str) -> None:
    """Look whether a file can be read and holds what it should."""
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise UnusableFileError(f"{setting}: {name} cannot be read ({error.strerror}): name {what} in PEM") from error
    if mark not in content:
        raise UnusableFileError(f"{setting}: {name} does not hold {what} in PEM")
