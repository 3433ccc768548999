"""Kafka's `server.properties` for one node on one machine."""

from pathlib import Path

from deploy.kafka.ports import HOST, Ports

_CONFIGURATION = """\
# Written at every start; changes are lost.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
# Topics are made from the table, never by a mistyped name.
auto.create.topics.enable=false
# One node holds everything.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# After a kill the node waits this long before it believes that its last life is over; 9 s is the default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# A group of one machine is complete when its first member comes.
group.initial.rebalance.delay.ms=0
# The cleaner's map lives in the heap; this holds 600,000 keys.
log.cleaner.dedupe.buffer.size=16777216
"""


def server_properties(ports: Ports, data: Path) -> str:
    """Give the text of the file, in ASCII."""
    return _CONFIGURATION.format(host=HOST, port=ports.broker, controller_port=ports.controller, data=_escaped(data))


def _escaped(path: Path) -> str:
    """Write a path as a Java property: its files are Latin-1 with escapes, and a comma separates two folders."""
    text = str(path).replace("\\", "\\\\")
    return "".join(c if " " < c < "\x7f" or c == " " else _java_escape(c) for c in text)


def _java_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[i : i + 2], 'big'):04x}" for i in range(0, len(units), 2))
