"""When a node that was started is ready."""

import subprocess

from deploy.children import last_lines, stop_child
from deploy.kafka.node import NodeFolder
from deploy.kafka.ports import Ports
from deploy.reach import Asker
from schemas.broker import wait_until
from schemas.errors import StopAndSayError

#: From start to the first answer; two seconds on an idle machine, more after a crash with much to check.
READY_SECONDS = 90.0


def becomes_ready(process: subprocess.Popen[bytes], folder: NodeFolder, ports: Ports, *, may_fail: bool) -> bool:
    """Wait until the node itself, and not another on its port, answers for all its partitions.

    Args:
        may_fail: Give False where somebody else has its port; another port may be tried.

    Raises:
        StopAndSayError: It ended, or does not answer in time; with its last words.
    """
    asker = Asker({"bootstrap.servers": ports.bootstrap_servers})
    ours = folder.cluster_id()

    def settled() -> bool:
        if process.poll() is not None:
            return True
        answer = asker.ask(1.0)
        return answer is not None and answer.cluster_id == ours and asker.serves_all(5.0)

    try:
        wait_until(settled, seconds=READY_SECONDS, what="the first answer of Kafka", every_seconds=0.02)
    except BaseException as error:
        stop_child(process)
        if isinstance(error, TimeoutError):
            raise StopAndSayError(f"{error}: {last_lines(folder.log)}; the rest is in {folder.log}") from error
        raise
    if process.poll() is None:
        return True
    words = last_lines(folder.log)
    if may_fail and "Address already in use" in folder.log.read_text(errors="replace"):
        return False
    raise StopAndSayError(f"Kafka ended at its start: {words}; the rest is in {folder.log}")
