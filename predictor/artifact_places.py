"""What an artifact store stands on: a folder, a bucket or a web server, through fsspec. Bytes by name, no more."""

import importlib
import os
import re
import uuid
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import fsspec
from fsspec.asyn import sync

from schemas.errors import StopAndSayError

VARIABLE = "TICKCAST_ARTIFACT_STORE"
_ESCAPE = "write /, # and ? of a user or a password as %2F, %23 and %3F, and @ as %40"
_is_scheme = re.compile(r"[A-Za-z][A-Za-z0-9]{0,15}").fullmatch
_CONNECT_SECONDS = 5
_READ_SECONDS = 15
_ANSWER_SECONDS = 60


class Place:
    """Files below a root. What the client raises comes through: FileNotFoundError where there is no such file.

    Attributes:
        shown: The root as people may see it, without user and password.
        lists: Whether it can say what it has.
    """

    lists = True

    def __init__(self, files: Any, root: str, shown: str) -> None:
        self._files = files
        self._root = root.rstrip("/")
        self.shown = shown

    def read(self, name: str) -> bytes:
        """Give the content of a file."""
        return bytes(self._files.cat_file(self._path(name)))

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        self._files.pipe_file(self._path(name), content)

    def has(self, name: str) -> bool:
        """Tell whether there is such a file."""
        try:
            self._files.info(self._path(name))
        except FileNotFoundError:
            return False
        return True

    def paths(self) -> list[str]:
        """Give the paths of all files, each ending with its name."""
        return list(self._files.find(self._root))

    def delete(self, name: str) -> None:
        """Delete a file."""
        self._files.rm_file(self._path(name))

    def delete_unfinished(self, until_seconds: float) -> None:
        """Delete what was begun before a time; where a file appears whole or not at all, there is nothing."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


class FolderPlace(Place):
    """A folder; it is made with its first file."""

    def write(self, name: str, content: bytes) -> None:
        """Write under another name, see that it is on the disk, and rename: a power cut leaves all of it or nothing."""
        path = Path(self._path(name))
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.unfinished")
        try:
            self._files.pipe_file(str(unfinished), content)
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def delete_unfinished(self, until_seconds: float) -> None:
        """Delete the files whose writer was killed."""
        for unfinished in Path(self._root).glob("*/.*.unfinished"):
            if unfinished.stat().st_mtime < until_seconds:
                unfinished.unlink()


class WebPlace(Place):
    """A web server that answers GET, and where something is to be written PUT and DELETE. It does not list."""

    lists = False

    def __init__(self, files: Any, root: str, headers: Mapping[str, str]) -> None:
        super().__init__(files, root, root)
        self._headers = headers

    def write(self, name: str, content: bytes) -> None:
        """Send it with PUT; that it appears whole is the server's business."""
        self._files.pipe_file(self._path(name), content, headers=dict(self._headers))  # fsspec adds to them

    def has(self, name: str) -> bool:
        """Tell whether GET finds it; a server that does not answer is not one that has nothing."""
        try:
            return bool(self._files.exists(self._path(name), strict=True))
        except FileNotFoundError:
            return False

    def delete(self, name: str) -> None:
        """Send DELETE, which fsspec cannot."""
        sync(self._files.loop, self._send_delete, self._path(name))

    async def _send_delete(self, url: str) -> None:
        session = await self._files.set_session()
        async with session.delete(self._files.encode_url(url), headers=self._headers) as answer:
            if answer.status == 404:
                raise FileNotFoundError(url)
            answer.raise_for_status()


def open_place(url: str) -> Place:
    """Give the place that an address names; nothing is asked of it yet.

    Raises:
        StopAndSayError: It is no address of a store, or a package for it is not installed.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "file":
        return _folder(rest if separator else url)
    if scheme not in {"s3", "http", "https"}:
        named = f"{scheme}://" if _is_scheme(scheme) else "that"  # what has no shape may have a password in it
        raise StopAndSayError(f"{VARIABLE}: give a folder, s3://BUCKET/… or https://…, not {named}")
    parts, host = _parts_of(url, scheme)
    shown = f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
    if not host or parts.query or parts.fragment:
        raise StopAndSayError(f"{VARIABLE}: {shown} must be an address with a host, and without ? and #")
    return _bucket(parts, shown) if scheme == "s3" else _web(parts, shown)


def _parts_of(url: str, scheme: str) -> tuple[SplitResult, str | None]:
    """Give the parts of an address, and its host.

    A password with `/`, `#` or `?` in it ends the host too early: the parts, and the words of whoever parses them, then
    show some of it. So nothing but the scheme is said.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # a port that is none raises
    except ValueError:
        raise StopAndSayError(f"{VARIABLE}: {scheme}://… is no address; {_ESCAPE}") from None
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise StopAndSayError(f"{VARIABLE}: {scheme}://… has @ behind its host; {_ESCAPE}")
    return parts, host


def _folder(path: str) -> Place:
    root = os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps `..`, and resolve asks the disk
    return FolderPlace(fsspec.filesystem("file", auto_mkdir=True, skip_instance_cache=True), root, root)


def _bucket(parts: SplitResult, shown: str) -> Place:
    if "@" in parts.netloc:
        raise StopAndSayError(f"{VARIABLE}: the keys of {shown} are read from AWS_ACCESS_KEY_ID and the like, not here")
    _require("s3fs", parts.scheme)
    limits = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS, "retries": {"max_attempts": 2}}
    files = fsspec.filesystem("s3", config_kwargs=limits, use_listings_cache=False, skip_instance_cache=True)
    return Place(files, parts.netloc + parts.path, shown)


def _web(parts: SplitResult, shown: str) -> Place:
    """Take user and password out of the address: so no error and no log can show them, nor does a redirect get them."""
    aiohttp = _require("aiohttp", parts.scheme)
    headers: dict[str, str] = {}
    if parts.username:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(words.encode()).decode()}"
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
    options = {"client_kwargs": {"timeout": timeout}, "headers": dict(headers), "skip_instance_cache": True}
    return WebPlace(fsspec.filesystem("https", **options), shown, headers)


def _require(package: str, scheme: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        missing = error.name or package
        raise StopAndSayError(
            f"{VARIABLE}: {missing} is missing: {scheme}:// needs `pip install 'tickcast[store]'`"
        ) from error
