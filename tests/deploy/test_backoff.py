"""How long to wait before a part that died is started again."""

from deploy.backoff import Backoff


def test_delays_double_up_to_the_longest() -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=3.0)
    assert [backoff.next_delay_seconds() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_after_a_thousand_deaths_there_is_still_a_delay() -> None:
    backoff = Backoff()
    assert [backoff.next_delay_seconds() for _ in range(1_100)][-1] == backoff.longest_seconds


def test_a_part_that_ran_for_a_while_begins_a_new_row() -> None:
    backoff = Backoff(first_seconds=1.0, steady_seconds=30.0)
    assert [backoff.next_delay_seconds(ran) for ran in (0.0, 29.9, 30.0)] == [1.0, 2.0, 1.0]
