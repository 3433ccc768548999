"""Users: a name, a password of which only argon2id's hash is kept, and scopes."""

import re
import secrets
from dataclasses import dataclass

from gateway.access.scopes import Scope

#: Of a user that nobody gave others.
DEFAULT_SCOPES = frozenset({Scope.READ, Scope.STREAM})
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{2,63}$"
LONGEST_NAME = 64
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256

_ID_BYTES = 6
_is_name = re.compile(NAME_PATTERN).match


class UnusableAccountError(ValueError):
    """A name or a password cannot be used; the text has the fix.

    Attributes:
        field: Which of the two.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class User:
    """What is kept of a user, but for his password.

    Attributes:
        name: None: the user was removed.
        disabled_ns: From when on he is not let in.
    """

    id: str
    name: str | None
    scopes: frozenset[Scope]
    created_ns: int
    disabled_ns: int | None = None


def read_name(text: str) -> str:
    """Give a name as it is kept and looked for: names do not differ by case."""
    return text.strip().lower()


def is_name(text: str) -> bool:
    """Tell whether somebody may be called so."""
    return _is_name(read_name(text)) is not None


def make_user(name: str, password: str, scopes: frozenset[Scope], now_ns: int) -> User:
    """Make a user.

    Raises:
        UnusableAccountError: The name or the password cannot be used.
    """
    if not is_name(name):
        raise UnusableAccountError("username", "a name has 3 to 64 of a-z, 0-9 and . _ @ + -, and begins with a-z, 0-9")
    check_password(name, password)
    return User(secrets.token_hex(_ID_BYTES), read_name(name), scopes, now_ns)


def check_password(name: str, password: str) -> None:
    """Let a password pass that is long enough, and not the name.

    Raises:
        UnusableAccountError: It is not.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UnusableAccountError("password", f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if read_name(password) == read_name(name):
        raise UnusableAccountError("password", "the password is the name: choose another one")
