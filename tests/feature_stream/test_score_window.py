"""The newest rows by key, whatever the order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from feature_stream.scores.window import Window


@given(some.lists(some.integers(-50, 50)), some.integers(1, 30))
def test_the_newest_keys_stay_each_once_in_order(keys: list[int], size: int) -> None:
    window = Window(size, (1,), np.float64)
    known: dict[int, float] = {}
    for number, key in enumerate(keys):
        kept = sorted(known)
        fresh = key not in known and (len(kept) < size or key > kept[0])
        assert window.add(key, [float(number)]) == fresh
        if fresh:
            known[key] = float(number)
        known = {kept_key: known[kept_key] for kept_key in sorted(known)[-size:]}
        assert window.keys.tolist() == list(known)
        assert window.rows[:, 0].tolist() == list(known.values())


@given(some.lists(some.integers(0, 200)), some.integers(1, 20), some.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(keys: list[int], size: int, chance: object) -> None:
    one, other = Window(size, (1,), np.int64), Window(size, (1,), np.int64)
    shuffled = keys.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for window, order in ((one, keys), (other, shuffled)):
        for key in order:
            window.add(key, [key])
    assert one.keys.tolist() == other.keys.tolist() == sorted(set(keys))[-size:]


def test_rows_grow_and_keep_what_they_had() -> None:
    window = Window(3, (1, 2), np.float64, np.nan)
    for key in range(40):
        window.add(key, np.full((1, 2), key))
    window.widen(3)
    window.widen(2)
    window.add(40, np.zeros((3, 2)))
    assert window.rows.shape == (3, 3, 2)
    assert window.rows[0, 0].tolist() == [38, 38]
    assert np.isnan(window.rows[:2, 1:]).all()


def test_a_row_can_be_changed_in_place() -> None:
    window = Window(2, (1,), np.int64)
    window.add(5, [1])
    row = window.row_of(5)
    assert row is not None
    row += 2
    assert window.rows.tolist() == [[3]]
    assert window.row_of(4) is None
    assert window.row_of(6) is None
