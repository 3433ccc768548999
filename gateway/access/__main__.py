"""`tickcast keys`: make, list, revoke and rotate API keys, and what was done with them."""

import argparse
import logging
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.access.keys import ApiKey, make_key
from gateway.access.scopes import Scope, read_scopes, write_scopes
from gateway.access.store import KeyStore
from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings
from gateway.database.usage import usage_of
from schemas.errors import RetryError, StopAndSayError
from schemas.log_events import LogEvent, about
from schemas.service import run_service

_log = logging.getLogger(__name__)
_DAY_NS = 86_400_000_000_000
_MOST_ROWS = 10_000


def _arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tickcast keys", description="Make, list, revoke and rotate API keys.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a key, and show it once")
    create.add_argument("--name", default="", help="whose it is, or what for")
    allowed = create.add_mutually_exclusive_group()
    allowed.add_argument("--admin", action="store_true", help="every scope")
    allowed.add_argument("--scopes", default="read,stream", help=f"of {','.join(Scope)} (default: read,stream)")
    create.add_argument("--expires-days", type=float, help="accept it for so many days (default: without end)")
    commands.add_parser("list", help="list all keys, without their secrets")
    commands.add_parser("revoke", help="accept a key no more, from now on").add_argument("id")
    rotate = commands.add_parser("rotate", help="make a new key in the place of another, and show it once")
    rotate.add_argument("id")
    rotate.add_argument("--overlap-hours", type=float, default=0, help="accept the old one so much longer (default: 0)")
    usage = commands.add_parser("usage", help="what each key asked for and was sent, by month")
    usage.add_argument("--month", help="this one only, like 2026-11 (UTC)")
    return parser.parse_args(words)


def scopes_of(text: str) -> frozenset[Scope]:
    """Read the scopes of an argument.

    Raises:
        StopAndSayError: One is none.
    """
    try:
        return read_scopes(text)
    except ValueError as error:
        raise StopAndSayError(f"{error}: give some of {','.join(Scope)}") from error


def _known(store: KeyStore, identifier: str) -> ApiKey:
    key = store.find(identifier)
    if key is None:
        raise StopAndSayError(f"there is no key {identifier!r}: `tickcast keys list` shows all")
    return key


def _show(text: str, key: ApiKey) -> None:
    print(text)
    print(f"key {key.id}, {write_scopes(key.scopes)}; this is the only time that it is shown", file=sys.stderr)


def _time(time_ns: int | None) -> str:
    return "never" if time_ns is None else datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(store: KeyStore, now_ns: int) -> None:
    for key in store.all():
        state = key.trouble(now_ns) or "accepted"
        print(f"{key.id}  {state:<8}  {write_scopes(key.scopes):<17}  ends {_time(key.expires_ns)}  {key.name}")


def _usage(engine: Engine, month: str | None) -> None:
    with engine.connect() as connection:
        rows = usage_of(connection, None, month, _MOST_ROWS)
    for row in rows:
        counts = "  ".join(f"{name} {row[name]}" for name in ("requests", "errors", "messages", "bytes"))
        print(f"{row['month']}  {row['key_id']}  {counts}  {row['name'] or ''}")


def _note(key: ApiKey, change: str) -> None:
    _log.info("%s: %s", key.who, change, extra=about(LogEvent.KEY_CHANGED, key=key.id, change=change))


def _create(store: KeyStore, given: argparse.Namespace, now_ns: int) -> None:
    scopes = frozenset(Scope) if given.admin else scopes_of(given.scopes)
    expires_ns = None if given.expires_days is None else now_ns + int(given.expires_days * _DAY_NS)
    text, key = make_key(given.name[:64], scopes, now_ns, expires_ns)
    store.add(key)
    _note(key, f"made, with {write_scopes(key.scopes)}")
    _show(text, key)


def _rotate(store: KeyStore, given: argparse.Namespace, now_ns: int) -> None:
    old = _known(store, given.id)
    if trouble := old.trouble(now_ns):
        raise StopAndSayError(f"key {old.id} is {trouble}: make a new one with `tickcast keys create`")
    text, key = make_key(old.name, old.scopes, now_ns, old.expires_ns)
    store.add(key)
    if given.overlap_hours > 0:
        ends_ns = now_ns + int(given.overlap_hours * _DAY_NS / 24)
        store.expire(old.id, ends_ns if old.expires_ns is None else min(ends_ns, old.expires_ns))
    else:
        store.revoke(old.id, now_ns)
    _note(key, f"made in the place of {old.id}")
    _note(old, "rotated")
    _show(text, key)


def run_command(settings: DatabaseSettings, words: list[str] | None = None) -> None:
    """Do what the words say.

    Raises:
        StopAndSayError: There is no such key or scope.
        RetryError: The database does not answer.
    """
    given = _arguments(words)
    now_ns = time.time_ns()
    engine = open_engine(settings)
    try:
        migrate(engine)
        store = KeyStore(engine)
        if given.command == "create":
            _create(store, given, now_ns)
        elif given.command == "list":
            _list(store, now_ns)
        elif given.command == "usage":
            _usage(engine, given.month)
        elif given.command == "revoke":
            key = _known(store, given.id)
            store.revoke(key.id, now_ns)
            _note(key, "revoked")
        else:
            _rotate(store, given, now_ns)
    except SQLAlchemyError as error:
        raise RetryError(f"the database does not answer ({type(error).__name__})") from error
    finally:
        engine.dispose()


if __name__ == "__main__":
    run_service("keys", DatabaseSettings, run_command)
