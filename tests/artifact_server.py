"""A web server of a test that keeps what it is sent, and speaks enough S3 to be a bucket; it can be told to fail."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape


class ArtifactServer:
    """Files by path, over HTTP on 127.0.0.1.

    Attributes:
        asked: Method and path of each request, in order.
        authorizations: The header of each request.
        fails_with: Answer this code to everything.
        redirects_to: Send everything there.
        open: While it is cleared, requests are held.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.authorizations: list[str | None] = []
        self.fails_with: int | None = None
        self.redirects_to: str | None = None
        self.open = threading.Event()
        self.open.set()
        handler = type("Handler", (_Handler,), {"server_under_test": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def writes(self) -> list[str]:
        return [path for method, path in self.asked if method == "PUT"]

    def stop(self) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_under_test: ArtifactServer
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        ours, path = self.server_under_test, urlsplit(self.path).path
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ours.asked.append((self.command, path))
        ours.authorizations.append(self.headers.get("Authorization"))
        ours.open.wait(60)
        query = parse_qs(urlsplit(self.path).query)
        if ours.fails_with is not None:
            self._answer(ours.fails_with, b"no")
        elif ours.redirects_to is not None:
            self._answer(302, b"", {"Location": f"{ours.redirects_to}{path}"})
        elif self.command == "PUT":
            ours.files[path] = content
            self._answer(200, b"")
        elif self.command == "DELETE":
            self._answer(204 if ours.files.pop(path, None) is not None else 404, b"")
        elif "list-type" in query:
            self._answer(200, _listing(ours.files, path.rstrip("/"), query.get("prefix", [""])[0]))
        elif path in ours.files:
            self._answer(200, ours.files[path])
        else:
            self._answer(404, b"")

    do_GET = do_HEAD = do_PUT = do_DELETE = _do  # noqa: N815 - the names that http.server looks for

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), "ETag": '"0"', **(headers or {})}.items():
            if not (code == 204 and name == "Content-Length"):
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _listing(files: dict[str, bytes], bucket: str, prefix: str) -> bytes:
    keys = [path.removeprefix(f"{bucket}/") for path in sorted(files) if path.startswith(f"{bucket}/{prefix}")]
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{len(files[f'{bucket}/{key}'])}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>0</ETag></Contents>"
        for key in keys
    )
    body = (
        f"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>{len(keys)}</KeyCount>{rows}</ListBucketResult>"
    )
    return body.encode()
