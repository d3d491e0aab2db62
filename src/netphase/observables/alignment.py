"""How far the neurons lie along one direction, and the direction that the data ask for first."""

from __future__ import annotations

import math

import numpy as np

from netphase._checks import finite_array, positive_int
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.networks import Parameters
from netphase.observables.features import Features, checked, exponent_of, first_neurons

_ROUNDING = 1e-13


def _unit(direction: Array, d: int) -> Array:
    v = np.asarray(finite_array("direction", direction, 1), dtype=np.float64)
    if len(v) != d:
        raise ArgumentError(
            f"Argument `direction` must have one entry per input of a neuron, {d}, "
            f"but has {len(v)}."
        )
    largest = float(np.abs(v).max())
    if largest == 0:
        raise ArgumentError("Argument `direction` must not be zero: it has no direction.")
    v = v / largest
    return np.asarray(v / math.sqrt(v @ v))


def alignment_ratio(parameters: Parameters, direction: Array, tracked: int | None = None) -> float:
    """ρ = ‖W v‖₂/‖W‖_F, the share of the input weights' size that lies along v.

    In the condensed regime of an activation of multiplicity one it tends to 1 with
    v = Σ y_i x_i (`label_mean`); for random input weights ρ² is 1/d on average.

    Args:
        parameters: ``w`` of shape (m, d); normalised or not makes no difference.
        direction: v, of any length but zero, shape (d,).
        tracked: take only the first so many neurons; all by default.

    Returns:
        ρ in [0, 1]; NaN if an input weight is not finite.

    Raises:
        ArgumentError: v is zero, not finite or of a wrong shape, all input weights are zero, or
            as `features`.

    References:
        Chen et al. (2023), the order parameter beside RD(w).

    Example:
        >>> alignment_ratio(Parameters(np.ones(1), np.array([[3.0, 4.0]])), np.array([2.0, 0.0]))
        0.6
    """
    _, w = first_neurons(parameters, tracked)
    v = _unit(direction, w.shape[1])
    largest = float(np.abs(w).max(initial=0.0))
    if largest == 0:
        raise ArgumentError("Argument `parameters` must have an input weight that is not zero.")
    if not math.isfinite(largest):
        return math.nan
    w = w / largest
    along = w @ v
    return min(1.0, math.sqrt(float(along @ along) / float(np.einsum("kd,kd->", w, w))))


def cosines_with(feature: Features, direction: Array) -> Array:
    """Cosine of every neuron's direction with one direction.

    Args:
        feature: directions and amplitudes.
        direction: of any length but zero, shape (d,).

    Returns:
        Cosines in [−1, 1], NaN for a neuron with w = 0, shape (m,).

    Raises:
        ArgumentError: ``direction`` is zero, not finite or of a wrong shape; or a number of
            ``feature`` is not finite.
    """
    unit = checked(feature).direction
    cosines = np.clip(unit @ _unit(direction, unit.shape[1]), -1.0, 1.0)
    return np.where(unit.any(axis=1), cosines, np.nan)


def alignment_histogram(
    feature: Features, direction: Array, bins: int = 50, weighted: bool = False
) -> tuple[Array, Array]:
    """Histogram of the neurons' cosines with a direction; neurons with w = 0 are left out.

    Args:
        feature: directions and amplitudes.
        direction: of any length but zero, shape (d,).
        bins: number of equal bins over [−1, 1].
        weighted: count amplitudes instead of neurons.

    Returns:
        Shares of the bins, which sum to one, shape (bins,), and the edges, shape (bins + 1,).

    Raises:
        ArgumentError: as `cosines_with`, ``bins`` is not a positive integer, or all neurons are
            dead and amplitudes are asked for.

    Example:
        >>> from netphase.observables import features
        >>> cloud = features(Parameters(np.array([1.0, 3.0]), np.array([[1.0, 0], [-1, 0]])))
        >>> alignment_histogram(cloud, np.array([1.0, 0.0]), bins=2, weighted=True)[0].tolist()
        [0.75, 0.25]
    """
    count = positive_int("bins", bins)
    cosines = cosines_with(feature, direction)
    there = ~np.isnan(cosines)
    weights = feature.amplitude[there] if weighted else np.ones(int(there.sum()))
    largest = float(weights.max())
    if largest == 0:
        raise ArgumentError(
            "Argument `feature` must hold an active neuron to weight by amplitude, but all "
            f"{len(cosines)} neurons are dead."
        )
    weights = weights / largest
    heights, edges = np.histogram(cosines[there], count, (-1.0, 1.0), weights=weights)
    return heights / weights.sum(), edges


def label_mean(x: Array, y: Array) -> Array:
    """The direction z = (1/n) Σ y_i x_i, along which an activation of multiplicity one condenses.

    Args:
        x: inputs (with the column of ones, if there is a bias), shape (n, d).
        y: targets, shape (n,).

    Returns:
        z, not normalised, shape (d,).

    Raises:
        ArgumentError: the shapes differ, a number is not finite, z is zero up to rounding, or too
            small or large for a double.

    References:
        Chen et al. (2023), the theorem on the condensed regime.

    Example:
        >>> label_mean(np.array([[1.0, 1.0], [3.0, 1.0]]), np.array([1.0, -1.0])).tolist()
        [-1.0, 0.0]
    """
    inputs, targets = finite_array("x", x, 2), finite_array("y", y, 1)
    if len(inputs) != len(targets):
        raise ArgumentError(
            f"Arguments `x` and `y` must hold equally many samples, but hold {len(inputs)} and "
            f"{len(targets)}."
        )
    inputs, targets = inputs.astype(np.float64), targets.astype(np.float64)
    exponent = exponent_of(inputs) + exponent_of(targets)
    inputs = np.ldexp(inputs, -exponent_of(inputs))
    targets = np.ldexp(targets, -exponent_of(targets))
    z = np.asarray(targets @ inputs) / len(inputs)
    size = float(np.mean(np.abs(targets) * np.linalg.norm(inputs, axis=1)))
    if float(np.linalg.norm(z)) <= _ROUNDING * size:
        raise ArgumentError(
            "The direction z = (1/n) Σ y_i x_i of these data is zero (balanced odd data): p = 1 "
            "condensation has no direction, and a later order of the activation decides. "
            "Shift or change the targets."
        )
    with np.errstate(all="ignore"):
        found = np.ldexp(z, exponent)
    if not (found.any() and np.isfinite(found).all()):
        raise ArgumentError(
            f"The direction z = (1/n) Σ y_i x_i of these data is about 2^{exponent} in size, "
            "outside the range of a double. Scale the inputs or the targets toward one."
        )
    return found
