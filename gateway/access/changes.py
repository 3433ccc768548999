"""What has changed of who may come in, by the numbers that the database gives to changes."""

from dataclasses import dataclass, field

from sqlalchemy import Engine, select

from gateway.access.keys import ApiKey
from gateway.access.session_store import ended_after
from gateway.access.store import keys_after
from gateway.access.user_store import users_after
from gateway.access.users import User
from gateway.database.accounts import ACCESS_REVISION

#: The revision of a gateway that has read nothing yet.
NOTHING_SEEN = -1


@dataclass(frozen=True)
class Changes:
    """What came after a revision.

    Attributes:
        revision: The newest that is seen with it.
        ended_sessions: Their ids.
    """

    revision: int
    keys: list[ApiKey] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    ended_sessions: list[str] = field(default_factory=list)


def read_changes(engine: Engine, seen: int) -> Changes:
    """Give what changed after a revision; everything where the database was put back to an earlier one."""
    with engine.connect() as connection:
        revision = connection.execute(select(ACCESS_REVISION.c.number)).scalar_one()
        if revision == seen:
            return Changes(revision)
        since = seen if seen < revision else NOTHING_SEEN
        return Changes(
            revision, keys_after(connection, since), users_after(connection, since), ended_after(connection, since)
        )
