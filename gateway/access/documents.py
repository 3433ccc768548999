"""What is said over REST when users come in."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.access.users import LONGEST_NAME, LONGEST_PASSWORD
from schemas.public import Time

Username = Annotated[str, Meta(max_length=LONGEST_NAME)]
Password = Annotated[str, Meta(max_length=LONGEST_PASSWORD)]


class NewUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants to be a user."""

    username: Username
    password: Password


class LogIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who comes in. `cookie`: put the refresh token into a cookie instead of the answer."""

    username: Username
    password: Password
    cookie: bool = False


class RefreshToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest refresh token; none: it is in the cookie."""

    refresh_token: str | None = None


class RegisteredUser(Struct, frozen=True, kw_only=True):
    """A user that was made."""

    id: str
    username: str
    scopes: list[str]


class Tokens(Struct, frozen=True, kw_only=True):
    """What a user comes in with.

    Attributes:
        access_token: Goes into `Authorization: Bearer`, or into `auth` on a WebSocket.
        expires_in: Of the access token, in seconds.
        expires_at: Likewise.
        refresh_token: Gives the next tokens, once; missing where it is in a cookie.
        refresh_expires_at: Then the user has to log in again.
    """

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - what the standard calls it
    expires_in: int
    expires_at: Time
    refresh_token: str | UnsetType = UNSET
    refresh_expires_at: Time
    scopes: list[str]


class Ticket(Struct, frozen=True, kw_only=True):
    """Opens `GET /events/predictions?ticket=`."""

    ticket: str
    expires_at: Time
