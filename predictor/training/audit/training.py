"""Is a set that is trained through a time the same whether or not the source has later bars?"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from predictor.manifest import Manifest
from predictor.training.audit.findings import Finding, digest, first_difference, first_problem
from predictor.training.audit.world import Bars, World
from predictor.training.trained_set import TrainedSet
from schemas.times import to_rfc3339

NAME = "training"
#: Gives the bars of a source that end by a time; the source has later ones.
History = Callable[[int], Bars]
TrainSet = Callable[[Bars], TrainedSet]


def check_training(world: World, history: History, train_set: TrainSet, cuts: int) -> Finding:
    """Compare the bars that are read of a source with those of one that ends, and what is trained on each.

    Args:
        cuts: So many; a set is trained twice at the last of them.
    """
    cuts_ns = world.cuts_ns(cuts)

    def problems() -> Iterable[str | None]:
        for cut_ns in cuts_ns:
            yield _difference_of_bars(history(cut_ns), world.until(cut_ns), cut_ns)
        at_cut = cuts_ns[-1]
        one, other = train_set(history(at_cut)), train_set(world.until(at_cut))
        if one.manifest.train_end_ns > at_cut:
            yield f"trained through {to_rfc3339(one.manifest.train_end_ns)}, after {to_rfc3339(at_cut)}"
        yield difference_of_sets(one, other)

    where = ", ".join(to_rfc3339(cut_ns)[:10] for cut_ns in cuts_ns)
    compared = (
        f"the bars through {where}, and at the last of them every file and number of the set, "
        "from a source that goes on and from one that ends"
    )
    return Finding(NAME, compared, first_problem(problems()))


def _difference_of_bars(known: Bars, alone: Bars, cut_ns: int) -> str | None:
    one, other = _digests(known), _digests(alone)
    changed = first_difference(one, other)
    return None if changed is None else f"{changed}: the bars through {to_rfc3339(cut_ns)} hang on later ones"


def _digests(bars: Bars) -> dict[str, str]:
    return {ticker: digest(*vars(columns).values()) for ticker, columns in bars.items() if len(columns)}


def difference_of_sets(one: TrainedSet, other: TrainedSet) -> str | None:
    """Name the first file or number of a set that differs; times of the clock are none."""
    file = first_difference(one.files, other.files)
    if file is not None:
        return f"{file} is another file"
    field = first_difference(timeless(one.manifest), timeless(other.manifest))
    return None if field is None else f"{field} of the manifest is another"


def timeless(manifest: Manifest) -> dict[str, Any]:
    """Give the numbers of a manifest, without what the clock says."""
    content: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in ("created_at_ns", "model_set"):
        del content[name]
    for member in content["members"]:
        del member["training_seconds"]
    return content
