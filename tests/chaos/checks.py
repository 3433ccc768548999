"""The promises of delivery: each check gives the differences that it finds, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from feature_stream.state import TickerState
from feature_stream.table import offset_of
from tests.chaos.contents import Said, SaidPredictions, prediction_differences
from tests.chaos.expected import Expected
from tests.chaos.market import TickDigest
from tests.chaos.states import KeptStates, content_without_places


def log_holds(expected: Expected, market: Mapping[int, TickDigest]) -> list[str]:
    """Every tick of the file is in the log once, in the file's order, on its partition."""
    return [
        f"partition {number} of ticks holds {expected.ticks.get(number)}, the file {digest}"
        for number, digest in market.items()
        if digest.count and str(expected.ticks.get(number)) != str(digest)
    ]


def same_contents(what: str, said: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Everything is there, nothing else, and all as it should be."""
    return [
        *(f"{what} {name} is missing" for name in wanted.keys() - said.keys()),
        *(f"{what} {name} should not be there" for name in said.keys() - wanted.keys()),
        *(f"{what} {name} has another content" for name in wanted.keys() & said.keys() if wanted[name] != said[name]),
    ]


def said_once(what: str, said: Said) -> list[str]:
    """Nothing was said twice with another content."""
    return [f"{what} {name} was said twice with another content" for name in said.contradictions]


def predictions_hold(said: SaidPredictions, finals: Iterable[str]) -> list[str]:
    """Every final feature has a prediction, and none another one later; there are no others."""
    wanted = set(finals)
    return [
        *(f"no prediction of {name}" for name in wanted - said.first.keys()),
        *(f"a prediction of {name}, which was not said" for name in said.first.keys() - wanted),
        *said.contradictions,
    ]


def predictions_agree(said: SaidPredictions, undisturbed: SaidPredictions) -> list[str]:
    """The first predictions are those of the undisturbed run."""
    both = said.first.keys() & undisturbed.first.keys()
    return [line for name in both for line in prediction_differences(undisturbed.first[name], said.first[name])]


def states_hold(kept: KeptStates, expected: Expected) -> list[str]:
    """Every state that was kept is what the log says at its offset, and the newest ones are the last ones."""
    newest = {key: offset_of(value) for key, value in kept.newest.items()}
    return [
        *(f"{line} was kept twice with another content" for line in kept.contradictions),
        *(
            f"state {key!r} at {offset} is not what the log says"
            for (key, offset), content in kept.contents.items()
            if expected.states.get((key, offset)) != content
        ),
        *(
            f"the newest state of {key!r} is at {newest.get(key)}, not {offset}"
            for key, offset in expected.last_offsets.items()
            if newest.get(key) != offset
        ),
    ]


def states_agree(kept: Mapping[str, TickerState], undisturbed: Mapping[str, TickerState]) -> list[str]:
    """The states at the end are those of the undisturbed run, but for where they stand in another log."""
    return same_contents(
        "state", *({t: content_without_places(s) for t, s in each.items()} for each in (kept, undisturbed))
    )
