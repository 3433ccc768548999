"""What people say of predictions."""

from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, Text

from gateway.database.metadata import metadata

#: Of one prediction by its id, or by the time that it is as of. `created_ns` is wall time.
FEEDBACK = Table(
    "feedback",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("ticker", String(32), nullable=False),
    Column("interval", String(8), nullable=False),
    Column("prediction_id", Text),
    Column("as_of_ns", BigInteger),
    Column("horizon", Integer),
    Column("rating", Integer, nullable=False),
    Column("comment", Text),
    Column("key_id", String(32)),
    Column("created_ns", BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """A row.

    Attributes:
        prediction_id: None where `as_of_ns` and `horizon` say which.
        key_id: Of the caller's key, or of the user; None where nobody is asked who he is.
    """

    id: str
    ticker: str
    interval: str
    prediction_id: str | None
    as_of_ns: int | None
    horizon: int | None
    rating: int
    comment: str | None
    key_id: str | None
    created_ns: int


def keep_feedback(connection: Connection, feedback: Feedback) -> None:
    """Write it down."""
    connection.execute(FEEDBACK.insert(), asdict(feedback))
