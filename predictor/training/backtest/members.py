"""Some of the members alone, as an ensemble of their own."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from predictor.training.recipes import Recipe


def only(known: Mapping[str, Recipe], names: Collection[str]) -> dict[str, Recipe]:
    """Give the recipes of some members; all where none is named.

    Their weights keep their proportions and add up to 1; where all of them are 0, they count alike.
    """
    if not names:
        return dict(known)
    chosen = {name: recipe for name, recipe in known.items() if name in names}
    total = sum(recipe.prior_weight for recipe in chosen.values())
    return {
        name: replace(recipe, prior_weight=recipe.prior_weight / total if total > 0 else 1.0 / len(chosen))
        for name, recipe in chosen.items()
    }
