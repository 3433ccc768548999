"""One plain page at `/`: the live table. Everything it needs comes from here."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

_FOLDER = Path(__file__).parent.parent / "pages"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/index.css": ("index.css", "text/css; charset=utf-8"),
    "/index.js": ("index.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def page_router() -> APIRouter:
    """Give the page and its parts, read once."""
    router = APIRouter(include_in_schema=False)
    for path, (name, media_type) in _FILES.items():
        _add(router, path, (_FOLDER / name).read_bytes(), media_type)
    return router


def _add(router: APIRouter, path: str, content: bytes, media_type: str) -> None:
    @router.get(path)
    async def page() -> Response:
        return Response(content, headers=_HEADERS | {"Content-Type": media_type})
