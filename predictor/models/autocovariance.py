"""What an ARMA process says of its own future: its autocovariances, and the best linear forecast from them."""

from collections.abc import Sequence

import numpy as np

from predictor.models.base import FloatArray


def autocovariances(ar: Sequence[float], ma: Sequence[float], count: int) -> FloatArray:
    """Give the first `count` autocovariances of x_t = sum(ar_i x_(t-i)) + e_t + sum(ma_j e_(t-j)), e of variance 1.

    The first max(p, q) + 1 solve the linear equations that the definition gives, the others follow from them.
    (Brockwell and Davis, Time Series: Theory and Methods, 2nd edition, section 3.3, "third method".)
    """
    order = max(len(ar), len(ma))
    theta = np.concatenate([[1.0], ma, np.zeros(order - len(ma))])
    psi = _responses(ar, theta)
    known = [float(theta[lag:] @ psi[: order + 1 - lag]) for lag in range(order + 1)]
    equations = np.eye(order + 1)
    for lag in range(order + 1):
        for step, weight in enumerate(ar, start=1):
            equations[lag, abs(lag - step)] -= weight
    values = np.linalg.solve(equations, known).tolist()
    while len(values) < count:
        values.append(sum(weight * values[-step] for step, weight in enumerate(ar, start=1)))
    return np.array(values[:count], np.float64)


def _responses(ar: Sequence[float], theta: FloatArray) -> FloatArray:
    """Give by how much each of the next values answers a shock of 1, as many as `theta` has."""
    psi = theta.copy()
    for at in range(len(psi)):
        psi[at] += sum(weight * psi[at - step] for step, weight in enumerate(ar[:at], start=1))
    return psi


def linear_map(covariances: FloatArray, known: int, horizons: Sequence[int]) -> FloatArray:
    """Give the weights, (horizons, known), that forecast the sum of the next values from the last `known` ones.

    The values have mean 0 and stand oldest first. No linear forecast has a smaller mean squared error, and it is the
    one that a Kalman filter gives that starts from the stationary state. (Brockwell and Davis, section 5.1.)

    Args:
        covariances: known + the longest horizon of them.
        horizons: How many next values each sum has.
    """
    steps = np.arange(known)
    between = covariances[np.abs(steps[:, None] - steps)]
    ahead = covariances[known - 1 - steps[:, None] + np.arange(1, max(horizons) + 1)]
    sums = ahead.cumsum(axis=1)[:, np.asarray(horizons) - 1]
    return np.ascontiguousarray(np.linalg.solve(between, sums).T)
