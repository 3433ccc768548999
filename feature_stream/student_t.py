"""Student's t distribution, without scipy, which no serving process has."""

import math
from functools import lru_cache

_SMALLEST = 1e-300
_PRECISION = 1e-14
_MOST_TERMS = 10_000


def survival(t: float, degrees: float) -> float:
    """Give the probability that a t-distributed number with so many degrees of freedom is above `t`.

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 and 8.17.4; t as an incomplete beta function:
    Abramowitz and Stegun (1964), 26.7.1.
    """
    square = t * t
    tail = 0.5 * _incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + square), square / (degrees + square))
    return tail if t >= 0 else 1.0 - tail


@lru_cache(maxsize=4_096)
def quantile(probability: float, degrees: float) -> float:
    """Give the number that a t-distributed one is at most with this probability, from 0.5 to below 1."""
    above = 1.0 - probability
    low, high = 0.0, 1.0
    while survival(high, degrees) > above:
        low, high = high, 2.0 * high
    while high - low > 1e-13 * high:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if survival(middle, degrees) > above else (low, middle)
    return 0.5 * (low + high)


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Give the regularised incomplete beta function I_x(a, b); `rest` is 1 - x, exact where x is close to 1."""
    if x <= 0.0 or rest <= 0.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest))
    if x < (a + 1.0) / (a + b + 2.0):  # where the fraction converges fast
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Give the value of the continued fraction 8.17.22, by Lentz's method."""
    c = 1.0
    value = d = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 / (1.0 + term * d or _SMALLEST)
            c = 1.0 + term / c or _SMALLEST
            value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return value
