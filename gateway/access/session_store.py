"""Sessions of users in the database. Whoever asks from an event loop does so in a thread."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, case, delete, select, update

from gateway.database.accounts import USER_SESSIONS, USERS, next_revision

#: A session that has ended is remembered so long; the last access tokens of it live much shorter.
_REMEMBERED_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Session:
    """One log in.

    Attributes:
        sha256: Of the newest refresh token.
        expires_ns: Then the user has to log in again.
    """

    id: str
    user_id: str
    sha256: str
    created_ns: int
    expires_ns: int


class SessionStore:
    """Reads and writes `user_sessions`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, session: Session, password_hash: str) -> bool:
        """Keep a new session, and forget old ones; False: its user is disabled, or has another password by now."""
        as_before = (
            USERS.c.id == session.user_id,
            USERS.c.password_hash == password_hash,
            USERS.c.disabled_ns.is_(None),
        )
        with self._engine.connect() as connection, connection.begin() as transaction:
            connection.execute(delete(USER_SESSIONS).where(USER_SESSIONS.c.expires_ns <= session.created_ns))
            connection.execute(USER_SESSIONS.insert(), asdict(session) | {"revision": 0})
            # Held still, for whoever changes the user now would neither see this session nor be seen here.
            user = select(USERS.c.id).where(*as_before).with_for_update(read=True)
            begun = connection.execute(user).first() is not None
            if not begun:
                transaction.rollback()
        return begun

    def rotate(self, identifier: str, used: str, following: str, now_ns: int) -> bool:
        """Put another refresh token in the place of the one that is used, both by their SHA-256; False: the session
        has ended, that one is not its newest, or its user is disabled."""
        enabled = select(USERS.c.id).where(USERS.c.disabled_ns.is_(None))
        goes_on = (
            update(USER_SESSIONS)
            .where(USER_SESSIONS.c.id == identifier, USER_SESSIONS.c.sha256 == used, USER_SESSIONS.c.ended_ns.is_(None))
            .where(USER_SESSIONS.c.expires_ns > now_ns, USER_SESSIONS.c.user_id.in_(enabled))
        )
        with self._engine.begin() as connection:
            return connection.execute(goes_on.values(sha256=following)).rowcount == 1

    def end(self, identifier: str, now_ns: int) -> bool:
        """End a session; False: it had ended, or there is none."""
        with self._engine.begin() as connection:
            return end_sessions(connection, next_revision(connection), now_ns, id=identifier) == 1


def end_sessions(connection: Connection, revision: int, now_ns: int, **of: str) -> int:
    """End the sessions with these values, as a change of this revision; give how many went on until now."""
    forgotten_ns = now_ns + _REMEMBERED_NS
    sooner_ns = case((USER_SESSIONS.c.expires_ns < forgotten_ns, USER_SESSIONS.c.expires_ns), else_=forgotten_ns)
    ending = update(USER_SESSIONS).where(USER_SESSIONS.c.ended_ns.is_(None))
    for name, value in of.items():
        ending = ending.where(USER_SESSIONS.c[name] == value)
    return connection.execute(ending.values(ended_ns=now_ns, revision=revision, expires_ns=sooner_ns)).rowcount


def ended_after(connection: Connection, revision: int) -> list[str]:
    """Give the ids of the sessions that were ended after a revision."""
    return list(connection.scalars(select(USER_SESSIONS.c.id).where(USER_SESSIONS.c.revision > max(revision, 0))))
