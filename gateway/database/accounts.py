"""Tables of who may come in. Times are wall time, in nanoseconds since 1970."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from gateway.database.metadata import metadata

#: Of a key only the SHA-256 of its text is here.
API_KEYS = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", String(64), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("changed_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),
    Column("revoked_ns", BigInteger),
)

#: By which a gateway finds what it has not seen yet.
Index("ix_api_keys_changed_ns", API_KEYS.c.changed_ns)
