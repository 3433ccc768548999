"""`docs/api.md` speaks of what is there."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from tests.gateway.full_parts import full_parts
from tests.gateway.web import client_of, running

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
_REST = _DOCUMENT.split("## REST")[1].split("## WebSocket")[0]


async def test_every_path_of_the_table_is_in_the_openapi_document() -> None:
    async with client_of(full_parts()) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    named = re.findall(r"`(GET|POST) (/api/v1/[^`?]+)", _REST.split("### Errors")[0])
    assert len(named) > 10
    assert [(method, path) for method, path in named if method.lower() not in paths.get(path, {})] == []


async def test_the_python_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", _REST, re.DOTALL)
    async with running(full_parts()) as server:
        example = code.replace("http://127.0.0.1:8000", server.url)
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", example], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "together +16.65 % over 5 bars, bullish" in done.stdout
    assert "MSFT bullish 0.75" in done.stdout
