"""When a soak passes."""

from collections.abc import Callable

from benchmarks.soak_verdict import Sample, Verdict, verdicts

_MIB = 2**20


def judged(
    memory_mib: Callable[[float], float] = lambda at: 100.0,
    lag: Callable[[float], float] = lambda at: 3.0,
    rate: float = 1_000.0,
    most_memory_mib: float = 600.0,
) -> list[Verdict]:
    samples = [
        Sample(at, rate * at, lag(at), round(memory_mib(at) * _MIB), 50 * _MIB) for at in map(float, range(1_800))
    ]
    return verdicts(samples, 1_000.0, 100.0, 60 * _MIB, most_memory_mib)


def failed(judgement: list[Verdict]) -> list[str]:
    return [verdict.what.split()[0] for verdict in judgement if not verdict.passed]


def test_a_part_that_stays_as_it_is_passes() -> None:
    assert failed(judged()) == []


def test_memory_that_grows_only_while_the_part_warms_up_passes() -> None:
    assert failed(judged(memory_mib=lambda at: 100 + min(at, 300.0))) == []


def test_memory_that_grows_to_the_end_fails() -> None:
    assert failed(judged(memory_mib=lambda at: 100 + at / 60)) == ["memory"]


def test_more_memory_than_may_be_held_fails() -> None:
    assert failed(judged(memory_mib=lambda at: 601.0 if at < 10 else 100.0)) == ["at"]


def test_lag_that_grows_fails() -> None:
    assert failed(judged(lag=lambda at: at)) == ["lag"]


def test_a_lag_that_is_high_and_level_fails() -> None:
    assert failed(judged(lag=lambda at: 500.0)) == ["lag"]


def test_a_rate_that_is_not_held_fails() -> None:
    assert failed(judged(rate=900.0)) == ["900"]
