"""`tickcast run`: the whole system on this machine, from the broker to the page."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from deploy.backoff import Backoff
from deploy.local_system import LocalSystem
from deploy.log_lines import Log, log_to
from deploy.preparation import check_gateway_port, check_source, choose_interval
from deploy.run_options import RunOptions, parse_options
from deploy.running_env import only_run
from deploy.say import errors_in_one_line
from deploy.signals import EXIT_INTERRUPTED, raise_on_signals
from deploy.supervisor import StartAfreshError


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the system until Ctrl-C, and exit with a code that says how it ended."""
    raise_on_signals()
    try:
        with errors_in_one_line("tickcast", OSError):
            options = parse_options(sys.argv[1:] if arguments is None else arguments)
            with only_run(options.var):
                _rounds(options, log_to(sys.stdout))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(0)


def _rounds(options: RunOptions, log: Log) -> None:
    """Run, and again from the start where the system must start afresh."""
    gateway_port = check_gateway_port(options.settings)
    interval = choose_interval(options)
    check_source(options.settings, interval)
    backoff = Backoff()
    while True:
        started_at = time.monotonic()
        try:
            LocalSystem(options, log, interval, gateway_port).run()
            return
        except StartAfreshError:
            delay_seconds = backoff.next_delay_seconds(time.monotonic() - started_at)
            log.say(f"the whole system starts afresh in {delay_seconds:g} s")
        time.sleep(delay_seconds)  # Ctrl-C ends it
        options = replace(options, fresh=False)  # once is enough


if __name__ == "__main__":
    main()
