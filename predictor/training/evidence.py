"""What is known of the sets that serve: their outcomes, and the last dates on which one was live."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from confluent_kafka import Message
from msgspec import structs

from predictor.manifest import Manifest
from predictor.training.comparison import COMPARED_DATES
from predictor.training.pairs import said_by
from predictor.training.topic_end import read_to_end
from schemas.codec import UndecodableError, decoder
from schemas.events import Outcome
from schemas.features import VOLATILITY_FLOOR
from schemas.settings import Settings
from schemas.topics import OUTCOMES

_log = logging.getLogger(__name__)
#: Of each partition of `outcomes`: 250 dates of 125 tickers with three horizons are 94,000.
NEWEST_RECORDS = 100_000


def read_outcomes(
    settings: Settings,
    *,
    model_sets: Collection[str] = (),
    through_ns: int | None = None,
    newest_records: int = NEWEST_RECORDS,
) -> list[Outcome]:
    """Read the newest outcomes of served predictions that count, each once, by date, ticker and horizon.

    Of an id the first record counts. What single members said is left out: it is most of an outcome, and no set is
    judged by it.

    Args:
        settings: Connection, prefix and interval.
        model_sets: Only those of which one of these sets spoke, served or in the shadow; empty: all.
        through_ns: Only those that had matured by then; None: all.
        newest_records: Of each partition, at most.

    Raises:
        RetryError: The broker does not answer.
        StopAndSayError: The topic is missing.
    """
    decode, seen, kept = decoder(Outcome), set[str](), list[Outcome]()

    def take(message: Message) -> None:
        try:
            outcome = decode(message.value())
        except UndecodableError as error:  # it stays in its topic, and was never ours to answer
            _log.warning("passed over %s:%d:%d: %s", message.topic(), message.partition(), message.offset(), error)
            return
        if outcome.id in seen:
            return
        seen.add(outcome.id)
        if outcome.scored and outcome.interval == settings.interval and _asked(outcome, model_sets, through_ns):
            kept.append(structs.replace(outcome, models={}))

    read_to_end(settings, OUTCOMES, take, newest_records)
    kept.sort(key=lambda outcome: (outcome.matured_ns, outcome.ticker, outcome.horizon))
    return kept


def _asked(outcome: Outcome, model_sets: Collection[str], through_ns: int | None) -> bool:
    if outcome.request_id is not None:  # by one member alone, from prices of a caller's
        return False
    spoke = not model_sets or outcome.model_set in model_sets or outcome.shadow_model_set in model_sets
    return spoke and (through_ns is None or outcome.matured_ns <= through_ns)


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """What a set said on the last dates on which it was live.

    Attributes:
        outcomes: Of all its horizons, that matured from the first of these dates through the last.
        dates: So many, at the shortest horizon; not more than were asked for.
        first_ns: The first one, 0 where there is none.
    """

    outcomes: tuple[Outcome, ...]
    dates: int
    first_ns: int


def live_window(outcomes: Iterable[Outcome], champion: Manifest, dates: int = COMPARED_DATES) -> LiveWindow:
    """Pick the last dates on which a set was live: served, or in the shadow of another.

    A date is the end of the shortest horizon. Others may have served in between; of those dates nothing is taken.
    """
    live = [outcome for outcome in outcomes if _is_live(outcome, champion)]
    ends = sorted({outcome.matured_ns for outcome in live if outcome.horizon == champion.horizons[0]})[-dates:]
    if not ends:
        return LiveWindow((), 0, 0)
    picked = tuple(outcome for outcome in live if ends[0] <= outcome.matured_ns <= ends[-1])
    return LiveWindow(picked, len(ends), ends[0])


def _is_live(outcome: Outcome, champion: Manifest) -> bool:
    return (
        outcome.scored
        and outcome.interval == champion.interval
        and outcome.horizon in champion.horizons
        and outcome.as_of_ns > champion.train_end_ns
        and outcome.volatility > VOLATILITY_FLOOR
        and said_by(outcome, champion.model_set) is not None
    )
