"""Real child processes under the supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from deploy.backoff import Backoff
from deploy.kafka.ports import free_ports
from deploy.supervisor import StartAfreshError
from schemas.errors import StopAndSayError
from tests.deploy.supervised import FOREVER, STUBBORN, lives, python, wait_until, watched

_PID = "import os; print('pid', os.getpid())\n"


async def test_a_part_that_dies_is_started_again_and_that_is_said() -> None:
    async with watched(python("service", _PID + FOREVER)) as it:
        await it.until(lambda: "pid " in it.log)
        first = it.pid_of("service")
        os.kill(first, signal.SIGKILL)
        await it.until(lambda: it.log.count("pid ") == 2)
        assert it.pid_of("service") != first
        assert "service was killed by SIGKILL; starting it again in 0.02 s" in it.log


async def test_delays_grow_with_every_death_in_a_row() -> None:
    async with watched(python("service", "raise SystemExit(1)")) as it:
        await it.until(lambda: it.log.count("starting it again") >= 4)
        delays = [line.split(" in ")[1] for line in it.log.splitlines() if "starting it again" in line]
        assert delays[:4] == ["0.02 s", "0.04 s", "0.08 s", "0.1 s"]


async def test_what_an_essential_part_said_when_it_stopped_for_good_ends_the_watch() -> None:
    code = "import sys; print('service: no such file', file=sys.stderr); sys.exit(78)"
    async with watched(python("service", code)) as it:
        with pytest.raises(StopAndSayError, match=r"^service stopped: no such file$"):
            await asyncio.wait_for(it.supervisor.watch(), 60)
        assert "starting it again" not in it.log


async def test_the_others_go_on_without_a_part_that_is_not_essential() -> None:
    trainer = python("trainer", "import sys; print('nothing to train on'); sys.exit(78)", once=True, essential=False)
    async with watched(trainer, python("service", FOREVER)) as it:
        await it.until(lambda: "trainer stopped: nothing to train on; the others keep running" in it.log)
        assert "starting it again" not in it.log


async def test_work_that_is_done_is_not_started_again() -> None:
    async with watched(python("trainer", "print('done')", once=True)) as it:
        await asyncio.wait_for(it.supervisor.watch(), 60)
        assert it.log.count("done") == 1


async def test_where_everything_must_start_afresh_a_death_ends_the_watch() -> None:
    async with watched(python("service", "raise SystemExit(1)"), restart=False) as it:
        with pytest.raises(StartAfreshError, match=r"^service ended with exit code 1$"):
            await asyncio.wait_for(it.supervisor.watch(), 60)


async def test_nothing_is_started_while_the_broker_is_away() -> None:
    async with (
        watched(python("service", _PID + FOREVER)) as it,
        watched(python("other", "raise SystemExit(1)")) as other,
    ):
        await it.until(lambda: "pid " in it.log)
        it.supervisor.broker_lost()
        os.kill(it.pid_of("service"), signal.SIGKILL)
        await it.until(lambda: "starting it again" in it.log)
        deaths = other.log.count("starting it again")
        await other.until(lambda: other.log.count("starting it again") > deaths + 2)
        assert it.log.count("pid ") == 1
        it.supervisor.broker_back()
        await it.until(lambda: it.log.count("pid ") == 2)


async def test_a_part_that_stops_because_the_broker_is_away_is_started_again() -> None:
    code = "import signal, sys\nsignal.signal(signal.SIGUSR1, lambda *_: sys.exit(78))\n" + _PID + FOREVER
    async with watched(python("service", code)) as it:
        await it.until(lambda: "pid " in it.log)
        it.supervisor.broker_lost()
        os.kill(it.pid_of("service"), signal.SIGUSR1)
        await it.until(lambda: "ended with exit code 78; starting it again" in it.log)
        it.supervisor.broker_back()
        await it.until(lambda: it.log.count("pid ") == 2)


async def test_a_polite_part_is_stopped_politely_and_its_last_words_are_shown() -> None:
    code = (
        "import signal, sys\n"
        "def end(*_):\n    print('drained')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up')\n" + FOREVER
    )
    async with watched(python("service", code)) as it:
        await it.until(lambda: "up" in it.log)
        await it.supervisor.stop(60)
        assert "drained" in it.log
        assert "killed" not in it.log


async def test_a_stubborn_part_is_killed_at_the_deadline() -> None:
    async with watched(python("service", STUBBORN + _PID + FOREVER)) as it:
        await it.until(lambda: "pid " in it.log)
        pid = it.pid_of("service")
        await asyncio.wait_for(it.supervisor.stop(0.5), 60)
        assert not lives(pid)
        assert "service did not stop within 0.5 s: killed" in it.log


async def test_what_a_part_started_goes_with_it() -> None:
    grandchild = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-u', '-c', {STUBBORN + _PID + FOREVER!r}])\n"
    )
    async with watched(python("service", grandchild + FOREVER)) as it:
        await it.until(lambda: "pid " in it.log)
        await it.supervisor.stop(0.5)
        pid = it.pid_of("service")
        await it.until(lambda: not lives(pid))


async def test_a_part_that_waits_to_be_started_again_does_not_delay_the_stop() -> None:
    patient = partial(Backoff, first_seconds=600.0, longest_seconds=600.0)
    async with watched(python("service", "raise SystemExit(1)"), backoff=patient) as it:
        await it.until(lambda: "starting it again in 600 s" in it.log)
        await asyncio.wait_for(it.supervisor.stop(30), 60)
        assert "did not stop within" not in it.log


async def test_a_part_in_the_background_gives_way_to_the_others() -> None:
    code = "import os; print('niceness', os.getpriority(os.PRIO_PROCESS, 0))"
    nice = "import os\nwhile os.getpriority(os.PRIO_PROCESS, 0) == 0: pass\n" + code
    async with watched(replace(python("trainer", nice, once=True), niceness=7)) as it:
        await asyncio.wait_for(it.supervisor.watch(), 60)
        assert "niceness 7" in it.log


async def test_a_part_that_answers_is_said_to_be_ready() -> None:
    port = next(free_ports())
    code = (
        "import http.server\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n        self.end_headers()\n        self.wfile.write(b'{}')\n"
        f"http.server.HTTPServer(('127.0.0.1', {port}), Handler).serve_forever()\n"
    )
    async with watched(replace(python("service", code), health_url=f"http://127.0.0.1:{port}/health")) as it:
        await it.until(lambda: "service is ready after " in it.log)


_PARENT = """
import asyncio, sys
from deploy.log_lines import Log
from deploy.kafka.ports import free_ports
from deploy.supervisor import Supervisor
from tests.deploy.supervised import FOREVER, STUBBORN, python

async def main():
    supervisor = Supervisor(Log(sys.stdout, colour=False))
    supervisor.start([python("service", STUBBORN + "import os; print('pid', os.getpid())\\n" + FOREVER)])
    await supervisor.watch()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends children with their parent")
def test_a_parent_that_is_killed_leaves_nothing_behind() -> None:
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline().rpartition(" ")[2])
    assert lives(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not lives(pid), "the end of the child")
