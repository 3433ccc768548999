"""Keys: made, kept, listed, rotated, revoked by command; and seen by a gateway that runs."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gateway.access.__main__ import run_command
from gateway.access.changes import Changes, read_changes
from gateway.access.keys import digest_of
from gateway.access.refresh import refresh_for_ever
from gateway.access.ring import KeyRing
from gateway.access.scopes import Scope
from gateway.access.store import KeyStore
from gateway.database.engine import open_engine
from gateway.database.settings import DatabaseSettings
from schemas.errors import StopAndSayError
from tests.gateway.web import until


class Shell:
    """The command on a database of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = SecretStr(f"sqlite:///{folder}/keys.db")
        self.settings = DatabaseSettings(_env_file=None, database_url=url)
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        """Give what a command prints to be used."""
        run_command(self.settings, list(words))
        return self._capsys.readouterr().out.strip()

    def engine(self) -> Engine:
        """Give the database as a gateway has it."""
        return open_engine(self.settings)

    def store(self) -> KeyStore:
        """Give the keys in it."""
        return KeyStore(self.engine())


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def id_of(text: str) -> str:
    return text.split("_")[1]


def test_a_key_is_shown_once_and_only_its_digest_is_kept(shell: Shell, tmp_path: Path) -> None:
    text = shell("create", "--admin", "--name", "first")
    secret = text.split("_", 2)[2]
    [kept] = shell.store().all()
    assert (kept.id, kept.name, kept.scopes) == (id_of(text), "first", frozenset(Scope))
    assert kept.sha256 == digest_of(text)
    assert kept.expires_ns is None
    assert secret not in shell("list")
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_scopes_and_expiry_are_as_asked_for(shell: Shell) -> None:
    shell("create", "--scopes", "read", "--expires-days", "2")
    [kept] = shell.store().all()
    assert kept.scopes == {Scope.READ}
    assert kept.expires_ns == kept.created_ns + 2 * 86_400_000_000_000
    assert kept.trouble(kept.expires_ns - 1) is None
    assert kept.trouble(kept.expires_ns) == "expired"
    with pytest.raises(StopAndSayError, match="read,stream,admin"):
        shell("create", "--scopes", "write")


@pytest.mark.parametrize(("words", "state"), [((), "revoked"), (("--overlap-hours", "1"), "accepted")])
def test_a_rotated_key_has_a_successor_with_the_same_scopes(shell: Shell, words: tuple[str, ...], state: str) -> None:
    old = shell("create", "--scopes", "read", "--name", "board")
    new = shell("rotate", id_of(old), *words)
    lines = {line.split()[0]: line for line in shell("list").splitlines()}
    assert state in lines[id_of(old)]
    assert "accepted" in lines[id_of(new)]
    assert shell.store().find(id_of(new)).scopes == {Scope.READ}  # type: ignore[union-attr]  # it is there
    if words:
        assert shell.store().find(id_of(old)).expires_ns is not None  # type: ignore[union-attr]  # likewise


def test_a_key_that_is_not_there_is_one_clear_line(shell: Shell) -> None:
    for word in ("revoke", "rotate"):
        with pytest.raises(StopAndSayError, match="keys list"):
            shell(word, "nobody")


class Failing:
    """A database that is away at first."""

    away = True

    def __init__(self, read: Callable[[int], Changes]) -> None:
        self._read = read

    def __call__(self, seen: int) -> Changes:
        if self.away:
            self.away = False
            raise OperationalError("select", {}, Exception("away"))
        return self._read(seen)


async def test_a_running_gateway_sees_new_keys_and_revocations_and_outlives_an_outage(shell: Shell) -> None:
    ring = KeyRing()
    first = shell("create")
    read = Failing(partial(read_changes, shell.engine()))
    refreshing = asyncio.create_task(refresh_for_ever(ring, read, 0.01))
    try:
        await until(lambda: ring.find(first) is not None, "the first key's being known")
        second = await asyncio.to_thread(shell, "create")
        await until(lambda: ring.find(second) is not None, "the second key's being known")
        read.away = True
        await until(lambda: not read.away, "an outage")
        shell("revoke", id_of(first))
        await until(lambda: getattr(ring.find(first), "revoked_ns", None) is not None, "the revocation's being known")
        assert getattr(ring.find(second), "revoked_ns", 0) is None
    finally:
        refreshing.cancel()
