"""Prices of two providers held side by side."""

import pytest

from ingestor.sources.live.comparison import FRESH_NS, LASTING_NS, Comparison

_SECOND = 10**9


def _heard(comparison: Comparison, at_s: int, **prices: tuple[float, float]) -> None:
    for ticker, (played, beside) in prices.items():
        comparison.played.heard(ticker, played, at_s * _SECOND)
        comparison.beside.heard(ticker, beside, at_s * _SECOND)


def test_a_difference_counts_once_it_has_lasted_and_ends_once() -> None:
    comparison, said = Comparison(0.005), {}
    for at_s in range(0, 100, 5):
        _heard(comparison, at_s, A=(100.0, 102.0 if 10 <= at_s < 60 else 100.4), B=(50.0, 50.0))
        verdict = comparison.judge(at_s * _SECOND)
        said[at_s] = (sorted(verdict.began), verdict.disagree, verdict.ended)
    lasting = 10 + LASTING_NS // _SECOND
    assert {at_s for at_s, (_, disagree, _) in said.items() if disagree} == set(range(lasting, 60, 5))
    assert {at_s: began for at_s, (began, _, _) in said.items() if began} == {lasting: ["A"]}
    assert {at_s: ended for at_s, (_, _, ended) in said.items() if ended} == {60: ["A"]}


def test_the_greatest_difference_is_relative_and_needs_no_time() -> None:
    comparison = Comparison(0.5)
    _heard(comparison, 0, A=(100.0, 99.0), B=(10.0, 8.0))
    assert comparison.judge(0).greatest == pytest.approx(0.2)


def test_only_fresh_prices_are_compared_and_what_cannot_be_compared_is_no_disagreement() -> None:
    comparison = Comparison(0.005)
    for at_s in range(0, 60, 10):
        _heard(comparison, at_s, A=(100.0, 110.0))
        verdict = comparison.judge(at_s * _SECOND)
    assert verdict.disagree == ["A"]
    later_ns = 50 * _SECOND + FRESH_NS + 1
    comparison.played.heard("A", 100.0, later_ns)
    verdict = comparison.judge(later_ns)
    assert (verdict.greatest, verdict.disagree, verdict.ended) == (0.0, [], ["A"])


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_price_is_passed_over(price: float) -> None:
    comparison = Comparison(0.005)
    _heard(comparison, 0, A=(100.0, 100.0), B=(1.0, price))
    comparison.beside.heard("A", price, 1)
    assert comparison.judge(1).greatest == 0.0
