"""How long to wait before a part that died is started again."""

from deploy.backoff import Backoff


def test_delays_double_up_to_the_longest() -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=3.0)
    assert [backoff.delay_seconds(deaths) for deaths in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_thousand_deaths_still_have_a_delay() -> None:
    assert Backoff().delay_seconds(1_000) == Backoff().longest_seconds


def test_a_part_that_ran_for_a_while_begins_a_new_row() -> None:
    backoff = Backoff(steady_seconds=30.0)
    assert backoff.deaths(4, ran_seconds=29.9) == 5
    assert backoff.deaths(4, ran_seconds=30.0) == 1
