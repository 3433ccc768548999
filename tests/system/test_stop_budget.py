"""The five seconds of a stop: what each part may wait for fits into what it is given, whatever the machine."""

from deploy import local_system
from gateway import server as gateway_server
from gateway import service as gateway_service
from ingestor import service as ingestor_service
from tests.gateway.samples import make_parts

#: To begin, to report and to end, on a machine that has time.
ROOM_SECONDS = 1.0


def test_the_system_promises_less_than_five_seconds_and_leaves_the_broker_a_part_of_them() -> None:
    assert local_system._SERVICES_STOP_SECONDS + ROOM_SECONDS <= local_system._STOP_SECONDS < 5.0


def test_the_waits_of_the_ingestor_fit() -> None:
    waits_seconds = ingestor_service._DRAIN_SECONDS + ingestor_service._LAST_WORD_SECONDS
    assert waits_seconds + ROOM_SECONDS <= local_system._SERVICES_STOP_SECONDS


def test_the_waits_of_the_gateway_fit() -> None:
    graceful_seconds = gateway_server.server_config(_no_app, make_parts().settings).timeout_graceful_shutdown
    assert graceful_seconds is not None
    waits_seconds = gateway_server.GOODBYE_SECONDS + graceful_seconds + 2 * gateway_service.FAREWELL_SECONDS
    assert waits_seconds + ROOM_SECONDS <= local_system._SERVICES_STOP_SECONDS


async def _no_app(*_: object) -> None: ...
