"""Answers that are right only now."""

from starlette.responses import Response


def live_json(body: bytes) -> Response:
    """Answer with JSON that nobody may cache."""
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
