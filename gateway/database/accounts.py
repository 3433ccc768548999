"""Tables of who may come in. Times are wall time, in nanoseconds since 1970."""

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Index, Integer, String, Table, select, update

from gateway.database.metadata import metadata

#: One row: the number of the newest change of who may come in, whatever the clocks of those who write say.
ACCESS_REVISION = Table(
    "access_revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

#: Of a key only the SHA-256 of its text is here. `revision`: of its last change.
API_KEYS = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", String(64), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),
    Column("revoked_ns", BigInteger),
    Column("revision", BigInteger, nullable=False),
)

#: A user that was removed has no name and no password; its id stays, so that its tokens are refused.
USERS = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), unique=True),
    Column("password_hash", String(256), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("disabled_ns", BigInteger),
    Column("revision", BigInteger, nullable=False),
)

#: A log in, and all refresh tokens that came of it, of which only the newest is accepted: its SHA-256 is here.
#: `revision` is 0 until the session ends before its time.
USER_SESSIONS = Table(
    "user_sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("revision", BigInteger, nullable=False),
)

#: By which a gateway finds what it has not seen yet.
for _table in (API_KEYS, USERS, USER_SESSIONS):
    Index(f"ix_{_table.name}_revision", _table.c.revision)
#: By which those are found that can be deleted, and those of a user.
Index("ix_user_sessions_expires_ns", USER_SESSIONS.c.expires_ns)
Index("ix_user_sessions_user_id", USER_SESSIONS.c.user_id)


def next_revision(connection: Connection) -> int:
    """Take the next number, first thing in a transaction. Others wait for its end before they get theirs, so whoever
    sees a number sees all changes up to it."""
    connection.execute(update(ACCESS_REVISION).values(number=ACCESS_REVISION.c.number + 1))
    return int(connection.execute(select(ACCESS_REVISION.c.number)).scalar_one())
