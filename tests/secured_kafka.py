"""A Kafka of a test whose services' listener wants TLS and a password; how it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.kafka import node
from deploy.kafka.configuration import server_properties
from deploy.kafka.ports import HOST, Ports
from tests.certificates import Authority
from tests.chaos.killable_kafka import KillableKafka
from tests.processes import free_port

USER, PASSWORD = "tickcast", "a-password-that-nobody-may-see"
_MECHANISMS = {"SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256, "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512}
_SECURED = """
listeners=BROKER://{host}:{port},SECURED://{host}:{secured_port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port},SECURED://{host}:{secured_port}
listener.security.protocol.map=BROKER:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT
listener.name.secured.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secured.scram-sha-256.sasl.jaas.config={login}
listener.name.secured.scram-sha-512.sasl.jaas.config={login}
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location={keystore}
"""
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecuredKafka:
    """One node that can be killed; the plain listener is its own, and where the user was made."""

    def __init__(self, folder: Path, authority: Authority, port: int) -> None:
        self.bootstrap_servers = f"{HOST}:{port}"
        self.node = KillableKafka(folder)
        self._authority = authority
        self._folder = folder
        for name, mechanism in _MECHANISMS.items():
            self._let_in(name, mechanism)

    def settings(self, **changes: Any) -> dict[str, str]:
        """Give the settings that lead here."""
        password_file = self._folder / "password"
        password_file.write_text(f"{PASSWORD}\n")
        ours = {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": USER,
            "kafka_sasl_password_file": password_file,
            "kafka_ssl_ca_file": self._authority.certificate,
        }
        return {name: str(value) for name, value in (ours | changes).items() if value is not None}

    def environment(self, **changes: Any) -> dict[str, str]:
        """Give the variables that lead here."""
        return {f"TICKCAST_{name.upper()}": value for name, value in self.settings(**changes).items()}

    def _let_in(self, name: str, mechanism: ScramMechanism) -> None:
        admin = AdminClient({"bootstrap.servers": self.node.server.bootstrap_servers, "log_level": 0})
        user = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4_096), PASSWORD.encode())
        for future in admin.alter_user_scram_credentials([user]).values():
            future.result(60)


@contextmanager
def secured_kafka(folder: Path, authority: Authority) -> Iterator[SecuredKafka]:
    """Run one whose certificate this authority signed."""
    issued = authority.issue("broker")
    keystore = folder / "keystore.pem"
    keystore.write_bytes(issued.key.read_bytes() + issued.certificate.read_bytes())
    port = free_port()

    def properties(ports: Ports, data: Path) -> str:
        own = {"host": HOST, "port": ports.broker, "controller_port": ports.controller}
        secured = _SECURED.format(**own, secured_port=port, login=_LOGIN, keystore=keystore)
        return server_properties(ports, data) + secured  # of two lines for one name, the later one holds

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "server_properties", properties)
        kafka = SecuredKafka(folder, authority, port)
        try:
            yield kafka
        finally:
            kafka.node.stop()
