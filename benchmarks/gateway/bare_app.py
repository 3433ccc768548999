"""A bare ASGI app that answers with fixed bytes: `python -m benchmarks.gateway.bare_app PORT FILE`."""

import sys
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send


def bare_app(body: bytes) -> object:
    """Give an app that looks at nothing."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    uvicorn.run(
        bare_app(Path(sys.argv[2]).read_bytes()),  # type: ignore[arg-type]  # uvicorn's own types of ASGI differ
        port=int(sys.argv[1]),
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
