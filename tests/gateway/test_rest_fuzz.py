"""Whatever requests say: every answer is one that the OpenAPI document has, and none is a 5xx.

`make fuzz` makes it long.
"""

import asyncio
import os
import sys
from pathlib import Path

from gateway.access.scopes import Scope
from gateway.hub import Hub
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.gateway.access.people import key_of
from tests.gateway.full_parts import full_parts
from tests.gateway.web import running

CASES = int(os.environ.get("FUZZ_CASES", "100"))
SECONDS = 3_600
#: What is on offer (horizons, tickers) the document cannot know: a request that keeps to it may still be refused.
NOT_CHECKED = "positive_data_acceptance"
#: They are there only where people are asked who they are.
ACCOUNTS = "^/api/v1/(auth/.*|events/.*|usage)$"
#: Without them, what is open to nobody is 403 before anything looks at its method.
METHODS = "unsupported_method"
#: schemathesis would compare each event with the schema, which is that of the text of all of them.
CONFIGURATION = """
[[operations]]
include-path = "/api/v1/events/predictions"
checks.response_schema_conformance.enabled = false
"""


async def end_streams(hub: Hub) -> None:
    """Let no stream of events go on: an answer without an end could not be looked at."""
    while True:
        for subscriber in hub:
            subscriber.mailbox.close(CloseCode.TRY_AGAIN_LATER)
        await asyncio.sleep(0.05)


async def fuzz(parts: Parts, folder: Path, seed: int, *arguments: str) -> None:
    """Ask many things; nothing is wrong with the answers."""
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    ending = asyncio.create_task(end_streams(parts.hub))
    async with running(parts) as server:
        fuzzer = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *("run", f"{server.url}/openapi.json", "--seed", str(seed)),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(CASES // 20), "--no-color"),
            *("--request-timeout", "10", "--suppress-health-check", "all"),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
        )
        try:
            async with asyncio.timeout(SECONDS):
                said, _ = await fuzzer.communicate()
        finally:
            ending.cancel()
            if fuzzer.returncode is None:
                fuzzer.kill()
        assert fuzzer.returncode == 0, said.decode()
        assert not server.task.done()


async def test_every_answer_is_one_of_the_document(tmp_path: Path, seed: int) -> None:
    await fuzz(full_parts(), tmp_path, seed, "--exclude-checks", NOT_CHECKED)


async def test_so_is_every_answer_about_accounts_usage_and_events(tmp_path: Path, seed: int) -> None:
    parts = full_parts(auth_required=True, registration_open=True, limit_requests=False)
    key, _ = key_of(parts, *Scope)
    only = ("--include-path-regex", ACCOUNTS, "--exclude-checks", f"{NOT_CHECKED},{METHODS}")
    await fuzz(parts, tmp_path, seed, *only, "--header", f"X-API-Key: {key}")
    answers = parts.instruments.text().decode()
    for path, status in (("/auth/register", 201), ("/auth/token", 200), ("/auth/revoke", 204), ("/events/ticket", 200)):
        assert f'route="{path}",status="{status}"' in answers
