"""What a fetch has of a partition is handed on whole and in order, and nobody waits for all of another's."""

from collections import defaultdict
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from feature_stream.portions import portions


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 3_000), max_size=6))
def test_every_record_once_in_order(counts: dict[int, int]) -> None:
    handed_on: defaultdict[int, list[int]] = defaultdict(list)
    for place, portion in portions({place: range(count) for place, count in counts.items()}):
        assert portion
        handed_on[place] += portion
    assert handed_on == {place: list(range(count)) for place, count in counts.items() if count}


@given(st.integers(0, 5_000), st.integers(1, 5_000))
def test_another_partitions_first_record_waits_for_an_eighth_at_most(many: int, few: int) -> None:
    order = [(place, len(portion)) for place, portion in portions({"many": range(many), "few": range(few)})]
    before = sum(size for place, size in order[: [place for place, _ in order].index("few")])
    assert before <= max(16, many / 8 + 1)


def test_partitions_take_turns() -> None:
    order = [place for place, _ in portions({"a": range(160), "b": range(160)})]
    assert [place for place, _ in groupby(order)] == ["a", "b"] * 8
