"""Fig. 1: exponents of the change of every layer, in both norms, against theory."""

from __future__ import annotations

import math

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.datasets import Dataset
from netphase.dynamics import DeepGradientDynamics, Descent, GradientDynamics, evolve
from netphase.engine.problem import Stop
from netphase.networks import (
    MultiLayerNetwork,
    TwoLayerNetwork,
    initial_layer_parameters,
    initial_parameters,
)
from netphase.reproductions.check import Check, at_most, below, every, untested
from netphase.reproductions.li2024 import setting
from netphase.reproductions.li2024.drawing import slope_figure
from netphase.reproductions.li2024.training import Case, Ladder, jackknife, ladders
from netphase.reproductions.reproduction import Stage
from netphase.scalings import LayerScaling

ACTIVATIONS = ("tanh", "relu")

WITHIN = 0.15
"""Largest distance of an exponent, over the three largest widths, from theory."""

LARGEST = 3
"""Widths that an exponent is fitted over."""

SAME = 1e-12
"""Difference to the two-layer engine, in normalised weights of order one, that is rounding."""

WHERE = {"operator": "reconstruction 2", "frobenius": "reconstruction 3"}

Runs = dict[tuple[int, str], dict[str, Ladder]]


def run(stage: Stage) -> list[Check]:
    """Networks of one to three hidden layers, at least eight scalings each, tanh and ReLU."""
    seeds = setting.SEEDS[stage.size]
    found: Runs = {}
    for depth, widths in setting.WIDTHS[stage.size].items():
        for activation in ACTIVATIONS:
            stage.progress(f"slopes: L = {depth}, {activation}")
            named = setting.scalings(depth, activation)
            cases = [Case(scaling, activation, setting.data()) for _, scaling in named]
            runs = ladders(cases, widths, seeds)
            found[depth, activation] = {
                name: each for (name, _), each in zip(named, runs, strict=True)
            }
    stage.save(slope_figure(found, LARGEST, WITHIN), "figure1")
    return [
        *(check for key, runs in found.items() for check in _checks(*key, runs, stage.size)),
        _nearer(found, tested=stage.size != "smoke"),
        _one_hidden_layer(),
    ]


def _checks(depth: int, activation: str, runs: dict[str, Ladder], size: str) -> list[Check]:
    """Every scaling in both norms, and whether the distance from theory shrinks with the width."""
    what, tested = f"L = {depth}, {activation}", size != "smoke"
    checks = [
        _near(f"{what}, {name}: operator exponents {words}, largest distance", "operator", miss,
              error, tested)
        for name, (miss, error, words) in (
            (name, worst(ladder, "operator")) for name, ladder in runs.items()
        )
    ]  # fmt: skip
    miss, error, words = max(worst(ladder, "frobenius") for ladder in runs.values())
    claim = f"{what}, {len(runs)} scalings: Frobenius exponents, the worst {words}, its distance"
    checks.append(_near(claim, "frobenius", miss, error, tested))
    return checks + [_trend(what, norm, list(runs.values()), tested) for norm in WHERE]


def _near(claim: str, norm: str, miss: float, error: float, tested: bool) -> Check:
    if not tested and math.isfinite(miss):
        return untested(claim, WHERE[norm], f"≤ {WITHIN:g}", measured=miss)
    return at_most(claim, WHERE[norm], WITHIN, miss, error)


def worst(ladder: Ladder, norm: str) -> tuple[float, float, str]:
    """The layer whose exponent is farthest from theory: distance, error, and all in words."""
    fits, theory = ladder.fits(norm, LARGEST), ladder.predicted(norm)
    measured = np.array([each.exponent for each in fits])
    layer = int(np.abs(measured - theory).argmax())
    found = ", ".join(f"{each:.2f}" for each in measured)
    expected = ", ".join(f"{each:.3g}" for each in theory)
    miss = float(abs(measured - theory)[layer]) if ladder.converged else math.inf
    return miss, fits[layer].standard_error, f"{found} for {expected}"


def _trend(what: str, norm: str, runs: list[Ladder], tested: bool) -> Check:
    """The mean distance at the last pair of widths less that at the first pair."""
    slopes, theory = _joined(runs, norm)
    gain, error = jackknife(lambda v: _miss(v[:, -1], theory) - _miss(v[:, 0], theory), slopes)
    m = runs[0].widths.astype(int)
    claim = (
        f"{what}, {norm} norm, mean distance of local slopes: {_miss(slopes[:, 0], theory):.3f} "
        f"for m = {m[0]} to {m[1]}, {_miss(slopes[:, -1], theory):.3f} for {m[-2]} to {m[-1]}, "
        "the difference"
    )
    if not tested and math.isfinite(gain):
        return untested(claim, WHERE[norm], "< 0", measured=gain)
    return below(claim, WHERE[norm], 0.0, gain, error)


def _nearer(found: Runs, tested: bool) -> Check:
    """All groups together, as the noise of one hides what widths do for it."""
    ends = [
        (_miss(slopes[:, 0], theory), _miss(slopes[:, -1], theory))
        for runs in found.values()
        for norm in WHERE
        for slopes, theory in [_joined(list(runs.values()), norm)]
    ]
    claim = "every depth, activation and norm: local slopes are nearer to theory at larger widths"
    where, better = "reconstructions 2 and 3", sum(last < first for first, last in ends)
    if not tested:
        return untested(claim, where, f"{len(ends)} of {len(ends)}", measured=f"{better}")
    return every(claim, where, better, len(ends))


def _joined(runs: list[Ladder], norm: str) -> tuple[Array, Array]:
    """Local slopes, shape (s, w − 1, layers), and theory of the layers of all scalings."""
    slopes = np.concatenate([each.local(norm) for each in runs], axis=2)
    return slopes, np.concatenate([each.predicted(norm) for each in runs])


def _miss(slopes: Array, theory: Array) -> float:
    """Mean distance from theory of slopes averaged over seeds, shape (s, layers)."""
    return float(np.abs(slopes.mean(axis=0) - theory).mean())


def _one_hidden_layer(width: int = 100, steps: int = 200) -> Check:
    """The same steps from the same start by the engine of two-layer networks."""
    gaps = [
        _gap(scaling, width, steps, activation)
        for activation in ACTIVATIONS
        for _, scaling in setting.scalings(1, activation)
        if len(set(scaling.rates)) == 1 and scaling.log_m_kappa >= 0
    ]
    return at_most(
        f"L = 1 against the two-layer engine after {steps} equal steps, m = {width}, "
        f"{len(gaps)} scalings: largest difference of normalised weights",
        "reconstruction 2, depth one", SAME, float(np.max(gaps)),
    )  # fmt: skip


def _gap(scaling: LayerScaling, width: int, steps: int, activation: str) -> float:
    """Largest difference of the weights, in units of their start."""
    data, sigma = setting.data(), activations.get(activation)
    two, scales = scaling.two_layer.at_width(width), scaling.at_width(width)
    stop, rate = Stop(max_steps=steps, mean_square=0.0), 0.05
    deep = MultiLayerNetwork(sigma, scales, setting.INPUTS)
    run = evolve(
        DeepGradientDynamics(deep, data.x, data.y),
        Descent(rate * two.beta1 * two.beta2),
        initial_layer_parameters(deep),
        stop=stop,
    )
    plane = GradientDynamics(TwoLayerNetwork(sigma, two), Dataset(data.x, data.y, bias=False))
    start = initial_parameters(width, setting.INPUTS, seed=0, antisymmetric=True)
    other = evolve(plane, Descent(rate), start, stop=stop)
    w, a = run.final.weights
    apart = w[0].reshape(-1, setting.INPUTS) - other.final.w, a[0].ravel() - other.final.a
    return float(np.max([np.abs(each).max() for each in apart]))
