"""One round of the whole system: from its broker to the end of its last process."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from deploy.backoff import Backoff
from deploy.brokers import RunningBroker, start_broker
from deploy.first_prediction import greet
from deploy.kept_place import keep
from deploy.local_servers import LocalServers
from deploy.log_lines import Log
from deploy.preparation import prepare_place
from deploy.readiness import until_ready
from deploy.run_options import RunOptions
from deploy.running_env import remove_running_env, write_running_env
from deploy.scrape_targets import remove_scrape_targets, write_scrape_targets
from deploy.signals import SIGNALS, ignore_signals, raise_on_signals
from deploy.supervisor import StartAfreshError, Supervisor
from deploy.system_parts import Place, running_variables, service_variables, system_parts
from schemas.errors import TickcastError

_LOOK_AT_BROKER_EVERY_SECONDS = 0.25
_LOOK_AT_SERVERS_EVERY_SECONDS = 1.0
#: From the order to stop to the end of the last process, and what of it the services may take.
_STOP_SECONDS = 4.7
_SERVICES_STOP_SECONDS = 3.5


class LocalSystem:
    """A broker and the parts around it. One object lives for one round."""

    def __init__(self, options: RunOptions, log: Log, interval: str, gateway_port: int) -> None:
        self._options = options
        self._log = log
        self._interval = interval
        self._gateway_port = gateway_port
        self._broker: RunningBroker | None = None
        self._servers = LocalServers(options.var, log.say)
        self._stop_by: float | None = None

    def run(self) -> None:
        """Start everything, serve until a signal, stop everything.

        Raises:
            StartAfreshError: The system must start afresh.
            StopAndSayError: It cannot start, or an essential part stopped for good; one line says why.
        """
        try:
            broker = self._start_broker(self._options.broker)
            self._log.say(broker.message)
            self._start_servers()
            place = prepare_place(self._options, broker, self._interval, self._gateway_port, self._log.say)
            asyncio.run(self._serve(broker, replace(place, servers=self._servers.variables)))
        finally:
            with ignore_signals():
                self._servers.stop()
                self._stop_broker()

    def _start_servers(self) -> None:
        options = self._options
        self._servers.start(postgres=options.postgres, redis=options.redis, reserved_ports=(self._gateway_port,))

    def _start_broker(self, choice: str) -> RunningBroker:
        options, ours = self._options, (self._gateway_port,)
        self._broker = start_broker(
            choice, var=options.var, settings=options.settings, say=self._log.say, reserved_ports=ours
        )
        return self._broker

    async def _serve(self, broker: RunningBroker, place: Place) -> None:
        self._supervisor = Supervisor(self._log, restart=broker.kind != "embedded")
        self._ordered_to_stop = asyncio.Event()
        self._catch_signals()
        settings, interval = self._options.settings, self._interval
        write_scrape_targets(self._options.var, place)
        write_running_env(self._options.var, running_variables(settings, interval, place))
        self._supervisor.start(system_parts(os.environ, service_variables(settings, interval, place), place))
        asides = (greet(place.url, self._log, time.time_ns()), self._keep_once_accepted(place))
        waits = (
            *(self._ordered_to_stop.wait(), self._supervisor.watch()),
            *(self._watch_broker(broker), self._watch_servers()),
        )
        background = [asyncio.ensure_future(aside) for aside in asides]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
        except TickcastError as error:
            self._log.say(str(error))
            raise
        finally:
            for task in (*background, *tasks):
                task.cancel()
            await self._stop_parts()

    async def _keep_once_accepted(self, place: Place) -> None:
        """Remember a run on a log that was there before; an ingestor that refuses it is never ready."""
        if place.unconfirmed is None:
            return
        await until_ready(place.health_url("ingestor"))
        try:
            keep(self._options.var, place.unconfirmed)
        except OSError as error:
            self._log.say(f"this run is not remembered: {error}")

    async def _stop_parts(self) -> None:
        with suppress(OSError):  # without our lock it counts as none
            remove_running_env(self._options.var)
            remove_scrape_targets(self._options.var)
        self._stop_by = time.monotonic() + _STOP_SECONDS
        self._log.say("stopping")
        await self._supervisor.stop(_SERVICES_STOP_SECONDS)

    def _stop_broker(self) -> None:
        """Stop the broker, last of all, and by force when the time is up."""
        if self._broker is None:
            return
        left = _STOP_SECONDS if self._stop_by is None else max(0.5, self._stop_by - time.monotonic())
        process = self._broker.process
        force = threading.Timer(left, process.kill if process else lambda: None)
        force.start()
        try:
            self._broker.stop()
        finally:
            force.cancel()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._order_to_stop)

    def _order_to_stop(self) -> None:
        if self._ordered_to_stop.is_set():
            self._supervisor.kill()  # asked twice: somebody is in a hurry
        self._ordered_to_stop.set()

    async def _watch_servers(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_SERVERS_EVERY_SECONDS)
            self._servers.revive()

    async def _watch_broker(self, broker: RunningBroker) -> None:
        backoff = Backoff()
        while True:
            started_at = time.monotonic()
            while broker.alive():
                await asyncio.sleep(_LOOK_AT_BROKER_EVERY_SECONDS)
            if broker.kind == "embedded":
                raise StartAfreshError(f"{broker.last_words()}, and all its data is lost")
            self._log.say(f"{broker.last_words()}; restarting it")
            self._supervisor.broker_lost()
            broker.stop()  # what is left of it
            await asyncio.sleep(backoff.next_delay_seconds(time.monotonic() - started_at))
            broker = await self._revive(broker.bootstrap_servers, backoff)
            self._supervisor.broker_back()

    async def _revive(self, bootstrap_servers: str, backoff: Backoff) -> RunningBroker:
        """Start local Kafka until it runs; the services wait for it by themselves.

        Raises:
            StartAfreshError: It is elsewhere now.
        """
        while True:
            try:
                with self._interruptible():
                    broker = self._start_broker("local")
                    break
            except (TickcastError, OSError) as error:  # a full disk, jars that are gone: somebody may mend it
                delay_seconds = backoff.next_delay_seconds()
                self._log.say(f"{error}; trying again in {delay_seconds:g} s")
                await asyncio.sleep(delay_seconds)
        if broker.bootstrap_servers != bootstrap_servers:
            raise StartAfreshError(f"the broker came back elsewhere, at {broker.bootstrap_servers}")
        self._log.say(broker.message)
        return broker

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let a signal end what blocks the event loop, and this task with it."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        raise_on_signals()
        try:
            yield
        except KeyboardInterrupt as interrupt:
            self._ordered_to_stop.set()
            raise asyncio.CancelledError from interrupt
        finally:
            self._catch_signals()
