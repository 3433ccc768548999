"""What is known of the sets that serve: their outcomes, and the last dates on which one was live."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import Message

from predictor.manifest import Manifest
from predictor.training.comparison import COMPARED_DATES
from predictor.training.kept_outcomes import KeptOutcomes
from predictor.training.pairs import both_spoke, said_by
from predictor.training.topic_end import read_to_end
from schemas.codec import UndecodableError, decoder
from schemas.events import Outcome
from schemas.features import VOLATILITY_FLOOR
from schemas.settings import Settings
from schemas.topics import OUTCOMES

_log = logging.getLogger(__name__)


def read_live(settings: Settings, champion: Manifest, dates: int = COMPARED_DATES) -> list[Outcome]:
    """Read the outcomes of the last dates on which a set was live, by date, ticker and horizon: see `live_window`.

    Raises:
        RetryError: The broker does not answer.
        StopAndSayError: The topic is missing.
    """
    kept = KeptOutcomes(lambda outcome: _is_live(outcome, champion), champion.horizons[0], dates, newest=True)
    return _read(settings, kept, champion.train_end_ns)


def read_shadow(
    settings: Settings, champion: Manifest, challenger: Manifest, dates: int = COMPARED_DATES
) -> list[Outcome]:
    """Read the outcomes of the first dates on which one set was shown beside the other; order and errors likewise."""
    kept = KeptOutcomes(
        lambda outcome: both_spoke(outcome, champion, challenger), champion.horizons[0], dates, newest=False
    )
    return _read(settings, kept, max(champion.train_end_ns, challenger.train_end_ns))


def _read(settings: Settings, kept: KeptOutcomes, trained_ns: int) -> list[Outcome]:
    """Read all of `outcomes`: how far back these dates lie hangs on the tickers, and on who served in between."""
    decode = decoder(Outcome)

    def take(message: Message) -> None:
        try:
            outcome = decode(message.value())
        except UndecodableError as error:  # it stays in its topic, and was never ours to answer
            _log.warning("passed over %s:%d:%d: %s", message.topic(), message.partition(), message.offset(), error)
            return
        if outcome.request_id is not None:  # by one member alone, from prices of a caller's
            return
        if outcome.interval == settings.interval and outcome.as_of_ns > trained_ns:
            kept.add(outcome)

    read_to_end(settings, OUTCOMES, take)
    return kept.in_order()


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
