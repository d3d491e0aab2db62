"""The named initialisations of networks of any depth."""

from __future__ import annotations

import math
from collections.abc import Callable

from netphase._checks import finite_float, one_of, positive_int
from netphase.errors import ArgumentError
from netphase.scalings.layers import LayerScaling
from netphase.scalings.named import plain_word


def _fan_in(depth: int, d: int, variance: float) -> LayerScaling:
    root = math.sqrt(variance)
    return LayerScaling(
        g=(0.0, *(0.5,) * depth), beta_prefactors=(root / math.sqrt(d), *(root,) * depth)
    )


def _xavier(depth: int, d: int) -> LayerScaling:
    hidden = ("m^-0.5",) * (depth - 1)
    return LayerScaling.from_formulas(("sqrt(2/(m+d))", *hidden, "sqrt(2/(m+1))"), d=d)


def _ntk(depth: int) -> LayerScaling:
    """Weights N(0, 1) behind 1/√m from the second layer on."""
    return LayerScaling(g=(0.0, *(0.5,) * depth), rates=(0.0, *(-1.0,) * depth))


def _mean_field(depth: int) -> LayerScaling:
    """NTK with an output smaller by another √m: 1/m for one hidden layer."""
    return LayerScaling(g=(0.0, *(0.5,) * depth), rates=(0.0, *(-1.0,) * depth), alpha=0.5)


def _multilayer_mean_field(depth: int) -> LayerScaling:
    """Weights N(0, 1) behind 1/m from the second layer on."""
    return LayerScaling(g=(0.0, *(1.0,) * depth), rates=(0.0, *(-2.0,) * depth))


def _mup_one_rate(depth: int) -> LayerScaling:
    return LayerScaling(g=(0.0, *(0.5,) * (depth - 1), 1.0))


def _mup(depth: int) -> LayerScaling:
    return _mup_one_rate(depth).with_learning_rates((1.0, *(0.0,) * (depth - 1), -1.0))


_NAMED: dict[str, Callable[[int, int], LayerScaling]] = {
    "lecun": lambda depth, d: _fan_in(depth, d, 1.0),
    "he": lambda depth, d: _fan_in(depth, d, 2.0),
    "xavier": _xavier,
    "ntk": lambda depth, _: _ntk(depth),
    "mean_field": lambda depth, _: _mean_field(depth),
    "multilayer_mean_field": lambda depth, _: _multilayer_mean_field(depth),
    "mup": lambda depth, _: _mup(depth),
    "mup_one_rate": lambda depth, _: _mup_one_rate(depth),
    "pytorch": lambda depth, d: _fan_in(depth, d, 1 / 3),
}

DEEPEST = 1000
"""Most hidden layers; tables and plans of more take minutes and tell nothing new."""

LAYER_INITIALISATIONS: tuple[str, ...] = tuple(_NAMED)
"""The names `layer_initialisation` lists."""


def layer_initialisation(name: str, depth: int, d: int) -> LayerScaling:
    """The scaling of a named initialisation for L hidden layers.

    ``lecun``, ``he`` and ``pytorch`` draw every layer by its fan-in, with variance 1, 2 and 1/3
    over it; ``xavier`` by fan-in and fan-out. ``ntk`` puts 1/√m before standard normal weights
    from the second layer on, ``mean_field`` another 1/√m before the output, and
    ``multilayer_mean_field`` 1/m before every layer from the second on. ``mup`` has β = 1,
    m^(−1/2), 1/m for inputs, hidden matrices and output, with rates m, 1 and 1/m;
    ``mup_one_rate`` the same weights with one rate for all.

    Args:
        name: one of `LAYER_INITIALISATIONS`; case, spaces and hyphens do not matter.
        depth: number of hidden layers, 1 ≤ L ≤ 1000.
        d: number of inputs of a neuron (the bias included); it enters prefactors only.

    Returns:
        The scaling; for L = 1 at the point of the plane where `initialisation` puts the name.

    Raises:
        ArgumentError: the name is unknown, or ``depth`` or ``d`` is out of its range.

    References:
        Depth one: Luo et al. (JMLR 2021), Table 1. ``mean_field`` at larger depth: Geiger et al.
        (2020), lazy and feature training. ``mup``: Yang & Hu (2021).

    Example:
        >>> layer_initialisation("muP", depth=3, d=10).rates
        (1.0, 0.0, 0.0, -1.0)
    """
    word = one_of("initialisation", plain_word(name), LAYER_INITIALISATIONS)
    return _NAMED[word](hidden_layers(depth), positive_int("d", d))


def uniform_scaling(depth: int, exponent: float, prefactor: float = 1.0) -> LayerScaling:
    """Every layer with the standard deviation prefactor · m^(−exponent), one learning rate.

    Args:
        depth: number of hidden layers, 1 ≤ L ≤ 1000.
        exponent: c; θ-lazy for c < 1/2, for any depth. Zero is a fixed standard deviation.
        prefactor: standard deviation at m = 1, > 0.

    Returns:
        The scaling; for L = 1 the point (2c, 0) of the plane.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> uniform_scaling(depth=2, exponent=1.5).log_m_kappa
        -3.0
    """
    count = hidden_layers(depth) + 1
    c = finite_float("exponent", exponent)
    return LayerScaling(g=(c,) * count, beta_prefactors=(prefactor,) * count)


def hidden_layers(depth: int) -> int:
    """The number of hidden layers, or an `ArgumentError` where it is none from 1 to `DEEPEST`."""
    if not isinstance(depth, bool) and depth == 0:
        raise ArgumentError(
            "Argument `depth` must be a positive integer, but is 0: a network without a hidden "
            "layer is linear in its weights. Use 1 or more."
        )
    count = positive_int("depth", depth)
    if count > DEEPEST:
        raise ArgumentError(
            f"Argument `depth` must be at most {DEEPEST} hidden layers, but is {count}."
        )
    return count
