"""`tickcast users`: make, list, change and remove users."""

import argparse
import getpass
import logging
import sys
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from gateway.access.__main__ import scopes_of
from gateway.access.passwords import hash_password
from gateway.access.scopes import Scope, write_scopes
from gateway.access.user_store import UserStore
from gateway.access.users import DEFAULT_SCOPES, UnusableAccountError, User, check_password, make_user
from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings
from schemas.errors import RetryError, StopAndSayError
from schemas.log_events import LogEvent, about
from schemas.service import run_service

_log = logging.getLogger(__name__)


def _arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tickcast users", description="Make, list, change and remove users.")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a user; the password is asked for, or read from standard input")
    add.add_argument("name")
    _add_scopes(add, write_scopes(DEFAULT_SCOPES))
    commands.add_parser("list", help="list all users")
    scopes = commands.add_parser("scopes", help="say what a user may do")
    scopes.add_argument("name")
    _add_scopes(scopes, None)
    for word, text in (
        ("password", "give a user another password, and end his sessions"),
        ("disable", "let a user in no more, and end his sessions"),
        ("enable", "let a user in again"),
        ("remove", "forget a user"),
    ):
        commands.add_parser(word, help=text).add_argument("name")
    return parser.parse_args(words)


def _add_scopes(parser: argparse.ArgumentParser, default: str | None) -> None:
    allowed = parser.add_mutually_exclusive_group(required=default is None)
    allowed.add_argument("--admin", action="store_true", help="every scope")
    said = f" (default: {default})" if default else ""
    allowed.add_argument("--scopes", default=default, help=f"of {','.join(Scope)}{said}")


def _scopes(given: argparse.Namespace) -> frozenset[Scope]:
    return frozenset(Scope) if given.admin else scopes_of(given.scopes)


def _ask_password() -> str:
    """Ask twice at a terminal, else read a line: a password never stands among the arguments, which others see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise StopAndSayError("the two are not the same: try again")
    return password


def _known(store: UserStore, name: str) -> User:
    found = store.find(name)
    if found is None:
        raise StopAndSayError(f"there is no user {name!r}: `tickcast users list` shows all")
    return found[0]


def _note(user: User, change: str) -> None:
    said = about(LogEvent.USER_CHANGED, user=user.id, change=change)
    _log.info("user %s (%s): %s", user.id, user.name, change, extra=said)


def _add(store: UserStore, given: argparse.Namespace, now_ns: int) -> None:
    password = _ask_password()
    user = make_user(given.name, password, _scopes(given), now_ns)
    store.add(user, hash_password(password))
    _note(user, f"made, with {write_scopes(user.scopes)}")


def _list(store: UserStore, _given: argparse.Namespace, _now_ns: int) -> None:
    for user in store.all():
        state = "accepted" if user.disabled_ns is None else "disabled"
        print(f"{user.id}  {state}  {write_scopes(user.scopes):<17}  {user.name}")


def _set_scopes(store: UserStore, given: argparse.Namespace, _now_ns: int) -> None:
    user = _known(store, given.name)
    store.set_scopes(user.id, _scopes(given))
    _note(user, f"scopes are now {write_scopes(_scopes(given))}")


def _set_password(store: UserStore, given: argparse.Namespace, now_ns: int) -> None:
    user = _known(store, given.name)
    password = _ask_password()
    check_password(given.name, password)
    store.set_password(user.id, hash_password(password), now_ns)
    _note(user, "another password")


def _disable(store: UserStore, given: argparse.Namespace, now_ns: int) -> None:
    user = _known(store, given.name)
    store.disable(user.id, now_ns)
    _note(user, "disabled")


def _enable(store: UserStore, given: argparse.Namespace, _now_ns: int) -> None:
    user = _known(store, given.name)
    store.enable(user.id)
    _note(user, "let in again")


def _remove(store: UserStore, given: argparse.Namespace, now_ns: int) -> None:
    user = _known(store, given.name)
    store.remove(user.id, now_ns)
    _note(user, "removed")


_COMMANDS: dict[str, Callable[[UserStore, argparse.Namespace, int], None]] = {
    "add": _add,
    "list": _list,
    "scopes": _set_scopes,
    "password": _set_password,
    "disable": _disable,
    "enable": _enable,
    "remove": _remove,
}


def run_command(settings: DatabaseSettings, words: list[str] | None = None) -> None:
    """Do what the words say.

    Raises:
        StopAndSayError: There is no such user or scope, or the name or password cannot be used.
        RetryError: The database does not answer.
    """
    given = _arguments(words)
    engine = open_engine(settings)
    try:
        migrate(engine)
        _COMMANDS[given.command](UserStore(engine), given, time.time_ns())
    except UnusableAccountError as error:
        raise StopAndSayError(str(error)) from error
    except SQLAlchemyError as error:
        raise RetryError(f"the database does not answer ({type(error).__name__})") from error
    finally:
        engine.dispose()


if __name__ == "__main__":
    run_service("users", DatabaseSettings, run_command)
