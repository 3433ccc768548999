"""Whatever requests say: every answer is one that the OpenAPI document has, and none is a 5xx.

`FUZZ_CASES=10000` makes it long.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.gateway.full_parts import full_parts
from tests.gateway.web import running

CASES = int(os.environ.get("FUZZ_CASES", "100"))
SECONDS = 3_600
#: What is on offer (horizons, tickers) the document cannot know: a request that keeps to it may still be refused.
NOT_CHECKED = "positive_data_acceptance"
#: Its answer has no end: `test_events.py` and the fuzzer of sockets hold it.
WITHOUT_END = "/api/v1/events/predictions"


async def test_every_answer_is_one_of_the_document(tmp_path: Path, seed: int) -> None:
    async with running(full_parts()) as server:
        arguments = ["run", f"{server.url}/openapi.json", "--seed", str(seed), "--exclude-checks", NOT_CHECKED]
        arguments += ["--exclude-path", WITHOUT_END]
        arguments += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(CASES // 20), "--no-color"]
        fuzzer = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *arguments,
            *("--request-timeout", "10", "--suppress-health-check", "all"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        try:
            async with asyncio.timeout(SECONDS):
                said, _ = await fuzzer.communicate()
        finally:
            if fuzzer.returncode is None:
                fuzzer.kill()
        assert fuzzer.returncode == 0, said.decode()
        assert not server.task.done()
