"""The connection to the cluster: what is refused at start, and what reaches the clients."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import StopAndSayError
from schemas.settings import Settings, load_settings
from tests.certificates import Authority

PREFIX = "TICKCAST_KAFKA_"
SASL = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_USERNAME": "me"}


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    authority = Authority(tmp_path, "ca")
    authority.issue("mine")
    authority.issue("locked", password="sesame")
    authority.issue("other")
    Path("password").write_text("from-file\n")
    Path("empty").touch()
    Path("junk").write_text("junk")


def load(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return load_settings(Settings)


TLS = {"SECURITY_PROTOCOL": "SSL"}
MINE = {"SSL_CERTIFICATE_FILE": "mine.pem", "SSL_KEY_FILE": "mine.key.pem"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SASL_USERNAME": "me"}, ["SASL_USERNAME has no effect", "SECURITY_PROTOCOL is PLAINTEXT", "SASL_SSL"]),
        ({"SSL_CA_FILE": "ca.pem"}, ["SSL_CA_FILE has no effect", "(or SSL)"]),
        (TLS | {"SASL_PASSWORD": "hunter2"}, ["SASL_PASSWORD has no effect", "SECURITY_PROTOCOL is SSL"]),
        (SASL | {"SASL_PASSWORD": "p", "SSL_CA_FILE": "ca.pem"}, ["SSL_CA_FILE has no effect", "SASL_PLAINTEXT"]),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_PASSWORD": "hunter2"}, ["SASL_USERNAME is missing", "SASL_SSL"]),
        (SASL, ["SASL_PASSWORD is missing", "SASL_PASSWORD_FILE"]),
        (SASL | {"SASL_PASSWORD": "hunter2", "SASL_PASSWORD_FILE": "password"}, ["are both set", "keep one"]),
        (SASL | {"SASL_PASSWORD_FILE": "nowhere"}, ["SASL_PASSWORD_FILE: nowhere", "No such file"]),
        (SASL | {"SASL_PASSWORD_FILE": "empty"}, ["SASL_PASSWORD_FILE: empty is empty"]),
        (TLS | {"SSL_CA_FILE": "nowhere.pem"}, ["SSL_CA_FILE: nowhere.pem", "No such file"]),
        (TLS | {"SSL_CA_FILE": "junk"}, ["SSL_CA_FILE: junk does not hold a certificate"]),
        (TLS | {"SSL_CERTIFICATE_FILE": "mine.pem"}, ["SSL_CERTIFICATE_FILE is set without", "SSL_KEY_FILE"]),
        (TLS | {"SSL_KEY_FILE": "mine.key.pem"}, ["SSL_KEY_FILE is set without", "SSL_CERTIFICATE_FILE"]),
        (TLS | MINE | {"SSL_KEY_FILE": "other.key.pem"}, ["SSL_KEY_FILE", "is not the key of"]),
        (TLS | MINE | {"SSL_KEY_FILE": "mine.pem"}, ["SSL_KEY_FILE: mine.pem does not hold a private key"]),
        (TLS | {"SSL_CERTIFICATE_FILE": "locked.pem", "SSL_KEY_FILE": "locked.key.pem"}, ["SSL_KEY_PASSWORD"]),
    ],
)
def test_what_cannot_connect_is_refused_with_the_setting_and_the_fix(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(StopAndSayError, match=r"^wrong settings: TICKCAST_KAFKA_") as refused:
        load(monkeypatch, **given)
    said = f"{refused.value} {refused.value.__cause__}"
    assert [word for word in words if word not in said] == []
    assert "\n" not in str(refused.value)
    assert "hunter2" not in said


def test_plaintext_said_aloud_is_plain_whatever_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"SASL_USERNAME": "me", "SASL_PASSWORD": "p", "SSL_CA_FILE": "nowhere.pem"}
    settings = load(monkeypatch, BOOTSTRAP_SERVERS="k:1", SECURITY_PROTOCOL="PLAINTEXT", **others)
    assert settings.kafka_config() == {"bootstrap.servers": "k:1", "security.protocol": "PLAINTEXT"}
    assert settings.kafka_tls() is None


def test_a_secured_connection_carries_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        BOOTSTRAP_SERVERS="k:1",
        SECURITY_PROTOCOL="SASL_SSL",
        SASL_MECHANISM="SCRAM-SHA-512",
        SASL_USERNAME="me",
        SASL_PASSWORD="p",
        SSL_CA_FILE="ca.pem",
        SSL_CERTIFICATE_FILE="locked.pem",
        SSL_KEY_FILE="locked.key.pem",
        SSL_KEY_PASSWORD="sesame",
    )
    assert settings.kafka_config() == {
        "bootstrap.servers": "k:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "me",
        "sasl.password": "p",
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "locked.pem",
        "ssl.key.location": "locked.key.pem",
        "ssl.key.password": "sesame",
    }
    context = settings.kafka_tls()
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_password_comes_from_its_file_without_the_end_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **SASL, SASL_PASSWORD_FILE="password")
    assert settings.kafka_config()["sasl.password"] == "from-file"


def test_a_file_that_goes_later_is_an_error_to_try_again_after(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **SASL, SASL_PASSWORD_FILE="password")
    Path("password").unlink()
    with pytest.raises(OSError, match="TICKCAST_KAFKA_SASL_PASSWORD_FILE: password cannot be read"):
        settings.kafka_password()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"SASL_PASSWORD": "hunter2", "SSL_KEY_PASSWORD": "swordfish"}
    settings = load(monkeypatch, SECURITY_PROTOCOL="SASL_SSL", SASL_USERNAME="me", **MINE, **given)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "hunter2" not in shown
    assert "swordfish" not in shown
