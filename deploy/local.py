"""`tickcast run`: the whole system on this machine, from the broker to the page."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from deploy.backoff import Backoff
from deploy.local_system import LocalSystem
from deploy.log_lines import Log, wants_colour
from deploy.preparation import check_gateway_port, check_source, choose_interval
from deploy.run_options import RunOptions, parse_options
from deploy.running_env import only_run
from deploy.signals import raise_on_signals
from deploy.supervisor import StartAfreshError
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError

_EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the system until Ctrl-C, and exit with a code that says how it ended."""
    raise_on_signals()
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
        with only_run(options.var):
            _rounds(options, Log(sys.stdout, colour=wants_colour(sys.stdout)))
    except StopAndSayError as error:
        print(f"tickcast: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_STOP_AND_SAY)
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
    sys.exit(0)


def _rounds(options: RunOptions, log: Log) -> None:
    """Run, and again from the start where the system must start afresh."""
    gateway_port = check_gateway_port(options.settings)
    interval = choose_interval(options)
    check_source(options.settings, interval)
    backoff, deaths = Backoff(), 0
    while True:
        started_at = time.monotonic()
        try:
            LocalSystem(options, log, interval, gateway_port).run()
            return
        except StartAfreshError:
            deaths = backoff.deaths(deaths, time.monotonic() - started_at)
            delay_seconds = backoff.delay_seconds(deaths)
            log.say(f"the whole system starts afresh in {delay_seconds:g} s")
        time.sleep(delay_seconds)  # Ctrl-C ends it
        options = replace(options, fresh=False)  # once is enough


if __name__ == "__main__":
    main()
