"""The dashboard: a page at `/`, its modules and style sheets under `/page/`. Everything it needs comes from here."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.charting import charting_script
from gateway.problems import nothing_here

_FOLDER = Path(__file__).parent.parent / "pages"
_MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page, as it is sent."""

    content: bytes
    media_type: str

    def answer(self, request: Request) -> Response:
        """Send it, or say that the browser has it."""
        headers = _HEADERS | {"ETag": f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.content, headers=headers | {"Content-Type": f"{self.media_type}; charset=utf-8"})


def page_files() -> dict[str, PageFile]:
    """Give all files by their names, read once."""
    files = {
        path.relative_to(_FOLDER).as_posix(): PageFile(path.read_bytes(), _MEDIA_TYPES[path.suffix])
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in _MEDIA_TYPES
    }
    return files | {"lightweight-charts.js": PageFile(charting_script(), _MEDIA_TYPES[".js"])}


def page_router() -> APIRouter:
    """Give the page and its parts."""
    router, files = APIRouter(include_in_schema=False), page_files()

    @router.get("/")
    async def page(request: Request) -> Response:
        return files["index.html"].answer(request)

    @router.get("/page/{name:path}")
    async def part(name: str, request: Request) -> Response:
        if name not in files:
            raise nothing_here(f"/page/{name}", "the page has no such part")
        return files[name].answer(request)

    return router
