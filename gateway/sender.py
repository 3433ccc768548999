"""The gateway's own records: its status, and what it could not understand."""

import asyncio
import logging
from collections import deque

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from gateway.instruments import Instruments
from gateway.kafka_config import producer_config
from gateway.settings import GatewaySettings
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.events import ForecastRequest
from schemas.topics import DEAD_LETTERS, FORECAST_REQUESTS, SERVICE_STATUS

#: Dead letters that wait for the broker. Those beyond are only counted and logged: they stay where they came from.
MAXIMUM_WAITING = 1_000
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class RecordSender:
    """Sends in the background, through every outage; nobody ever waits for it."""

    def __init__(self, settings: GatewaySettings, instruments: Instruments) -> None:
        self._settings = settings
        self._instruments = instruments
        self._loop = asyncio.get_running_loop()
        self._letters: deque[DeadLetter] = deque()
        self._requests: deque[tuple[float, ForecastRequest]] = deque()
        self._status: tuple[bytes, bytes] | None = None
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def dead_letter(self, letter: DeadLetter) -> None:
        """Keep what could not be understood."""
        self._instruments.dead_letters.labels("undecodable").inc()
        _log.warning("dead letter %s: %s", letter.id, letter.reason)
        if len(self._letters) < MAXIMUM_WAITING:
            self._letters.append(letter)
            self._wake()

    def forecast_request(self, request: ForecastRequest, seconds: float) -> None:
        """Send a request for a forecast, unless that takes longer than so many seconds: nobody waits then."""
        self._requests.append((self._loop.time() + seconds, request))
        self._wake()

    def status(self, key: bytes, value: bytes) -> None:
        """Send the gateway's status; one that was not sent yet is replaced. Any thread may call this."""
        self._loop.call_soon_threadsafe(self._replace_status, key, value)

    def _replace_status(self, key: bytes, value: bytes) -> None:
        self._status = (key, value)
        self._wake()

    async def idle(self) -> None:
        """Return when nothing waits to be sent."""
        await self._idle.wait()

    def _wake(self) -> None:
        self._idle.clear()
        self._changed.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            producer = AIOKafkaProducer(**producer_config(self._settings))
            try:
                await producer.start()
                await self._send_all(producer)
            except (KafkaError, OSError) as error:  # retry; what was not acknowledged is sent again
                _log.warning("cannot write to Kafka, trying again: %s", error or type(error).__name__)
            finally:
                await producer.stop()
            await asyncio.sleep(RETRY_SECONDS)

    async def _send_all(self, producer: AIOKafkaProducer) -> None:
        while True:
            self._changed.clear()
            await self._send_requests(producer)
            while self._letters:
                await self._send_letter(producer, self._letters[0])
                self._letters.popleft()
            if self._status is not None:
                await self._send_status(producer, self._status)
            if not self._changed.is_set():
                self._idle.set()
            await self._changed.wait()

    async def _send_requests(self, producer: AIOKafkaProducer) -> None:
        topic = self._settings.topic_prefix + FORECAST_REQUESTS.name
        while self._requests:
            until_s, request = self._requests.popleft()
            if self._loop.time() < until_s:
                await producer.send(topic, encode(request), key=request.id.encode())

    async def _send_letter(self, producer: AIOKafkaProducer, letter: DeadLetter) -> None:
        topic = self._settings.topic_prefix + DEAD_LETTERS.name
        await producer.send_and_wait(topic, letter.value, key=letter.key, headers=letter.headers())

    async def _send_status(self, producer: AIOKafkaProducer, status: tuple[bytes, bytes]) -> None:
        key, value = status
        await producer.send_and_wait(self._settings.topic_prefix + SERVICE_STATUS.name, value, key=key)
        if self._status is status:
            self._status = None
