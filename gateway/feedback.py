"""What somebody says of a prediction, read from a request. Pure."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.asked import read_symbol, read_time_ns
from gateway.database.feedback import Feedback
from gateway.problems import bad_request
from schemas.public import Time
from schemas.times import Interval

MOST_ID_CHARACTERS = 512
MOST_COMMENT_CHARACTERS = 1_000

EXAMPLE = {
    "ticker": "AAPL",
    "id": "AAPL:1d:2010-10-29T00:00:00Z:final/set-20100104-17b82a2d/prior/holdout/forest+lstm",
    "horizon": 5,
    "rating": 1,
    "comment": "said so on the day of the results",
}
#: PostgreSQL has no place for it in a text.
_NUL = "\0"


class FeedbackRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rating of a prediction: of its `id`, or of what was said as of a time for a horizon.

    Attributes:
        rating: 1: it was of use; -1: it was not. Two answers mean the same to everyone, and add up; five stars do not.
    """

    ticker: str
    rating: Literal[-1, 1]
    id: Annotated[str, Meta(min_length=1, max_length=MOST_ID_CHARACTERS)] | None = None
    as_of: str | None = None
    horizon: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    comment: Annotated[str, Meta(max_length=MOST_COMMENT_CHARACTERS)] | None = None


class FeedbackReceipt(Struct, frozen=True, kw_only=True):
    """What was kept, by its id."""

    id: str
    created_at: Time


def feedback_of(
    wanted: FeedbackRequest, identifier: str, interval: Interval, key_id: str | None, now_ns: int
) -> Feedback:
    """Give the row of a request.

    Raises:
        ProblemError: 400: the ticker is no symbol, or what is rated is not said, or said twice.
    """
    ticker = read_symbol(wanted.ticker)
    _check_text(wanted.id, "id")
    _check_text(wanted.comment, "comment")
    if (wanted.id is None) is (wanted.as_of is None):
        raise bad_request("invalid-input", "id", "say which prediction: give its id, or as_of and horizon, not both")
    if wanted.as_of is not None and wanted.horizon is None:
        raise bad_request("invalid-input", "horizon", "as of one time each horizon is a prediction: give horizon too")
    return Feedback(
        id=identifier,
        ticker=ticker,
        interval=interval,
        prediction_id=wanted.id,
        as_of_ns=None if wanted.as_of is None else read_time_ns(wanted.as_of, "as_of"),
        horizon=wanted.horizon,
        rating=wanted.rating,
        comment=wanted.comment or None,
        key_id=key_id,
        created_ns=now_ns,
    )


def _check_text(text: str | None, field: str) -> None:
    if text is not None and _NUL in text:
        raise bad_request("invalid-input", field, f"{field} has a NUL character: leave it out")
