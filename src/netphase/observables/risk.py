"""Exact averages over random inputs: the risk of a network, and how far two networks are apart."""

from __future__ import annotations

import numpy as np

from netphase._checks import finite_array, instance_of
from netphase._types import Array, InputLaw
from netphase.engine.population import open_field, population_problem
from netphase.errors import ArgumentError
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.targets import Target, neurons


def population_risk(
    network: TwoLayerNetwork,
    parameters: Parameters,
    target: Target,
    inputs: InputLaw = "gaussian",
) -> float:
    """E (f(x) − f*(x))² over random inputs, in closed form: the exact test error.

    Args:
        network: the map, with its scales.
        parameters: ``a`` of shape (m,) and ``w`` of shape (m, d), normalised.
        target: f*.
        inputs: "gaussian" for x ~ N(0, I_d), "sphere" for x even on the unit sphere.

    Returns:
        The mean square of the error, ≥ 0, to some 1e-16 of the squares of its parts.

    Raises:
        ArgumentError: shapes do not fit, a number is not finite, or the averages have no closed
            form for this activation.

    References:
        Ma, Wu & E (2020), population risk.

    Example:
        >>> import netphase as nph
        >>> from netphase import targets
        >>> network = nph.TwoLayerNetwork(nph.activations.get("relu"), nph.Scales(1.0, 1.0, 1.0))
        >>> silent = Parameters(np.zeros(3), np.eye(3))
        >>> population_risk(network, silent, targets.single_neuron(3))
        0.5
    """
    instance_of("network", network, TwoLayerNetwork, "a TwoLayerNetwork")
    instance_of("target", target, Target, "a Target")
    a, w = _checked("parameters", parameters)
    target.check_inputs("parameters.w", w.shape[1])
    field = open_field(population_problem(network, target, inputs))
    return field.look(a, w).mean_square


def function_distance(
    network: TwoLayerNetwork,
    first: Parameters,
    second: Parameters,
    inputs: InputLaw = "gaussian",
) -> float:
    """E (f₁(x) − f₂(x))² between two networks of one map, whose widths may differ.

    Args:
        network: the map, with its scales, of both.
        first: ``a`` of shape (m,) and ``w`` of shape (m, d), normalised.
        second: shapes (m′,) and (m′, d).
        inputs: law of x, see `population_risk`.

    Returns:
        The distance squared, ≥ 0.

    Raises:
        ArgumentError: shapes do not fit, a number is not finite, or the averages have no closed
            form for this activation.

    Example:
        >>> import netphase as nph
        >>> network = nph.TwoLayerNetwork(nph.activations.get("relu"), nph.Scales(1.0, 1.0, 1.0))
        >>> up = Parameters(np.ones(1), np.array([[1.0, 0.0]]))
        >>> down = Parameters(np.ones(1), np.array([[-1.0, 0.0]]))
        >>> function_distance(network, up, down)
        1.0
    """
    instance_of("network", network, TwoLayerNetwork, "a TwoLayerNetwork")
    a, w = _checked("first", first)
    other = Parameters(*_checked("second", second))
    if w.shape[1] != other.w.shape[1]:
        raise ArgumentError(
            "Arguments `first` and `second` must have equal numbers of inputs, but have "
            f"{w.shape[1]} and {other.w.shape[1]}."
        )
    like = population_problem(network, neurons(other.a, other.w), inputs)
    itself = like.on_itself(np.column_stack(other))
    return open_field(itself).look(a, w).mean_square


def _checked(name: str, parameters: Parameters) -> tuple[Array, Array]:
    """Parameters in float64, or an `ArgumentError`."""
    instance_of(name, parameters, Parameters, "Parameters")
    a = finite_array(f"{name}.a", parameters.a, 1).astype(np.float64)
    w = finite_array(f"{name}.w", parameters.w, 2).astype(np.float64)
    if len(a) != len(w):
        raise ArgumentError(
            f"Argument `{name}` must hold a of shape (m,) and w of shape (m, d), but holds "
            f"{a.shape} and {w.shape}."
        )
    return a, w
