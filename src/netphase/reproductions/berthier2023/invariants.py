"""What exact solutions keep: numbers that tell of the equations and the solvers, no figure."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from netphase import hermite
from netphase._types import Array
from netphase.dynamics import ExactOverlaps, MeanFieldOverlaps, Overlaps
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.check import Check, at_most
from netphase.reproductions.reproduction import Size, Stage
from netphase.seeds import Stream, generator

WHERE = "section 6"
WIDTH, INPUTS, EPSILON = 12, 8, 0.2
"""m, d and ε of the network."""

SHIFT = 0.5
"""σ = ReLU(z + ½): all coefficients up to degree 3 count, and its kernel has a kink."""

SAMPLES: dict[Size, int] = {"smoke": 200_000, "small": 2_000_000, "paper": 20_000_000}
BLOCK = 200_000
"""Inputs on which the risk is sampled, and how many at a time."""

BRIEF = 1e-6
"""Time over which −dR/dt is taken as a difference."""

LATE = (0.1, 1.0, 4.0)
"""Times at which a run's overlaps are looked at."""


class Weights(NamedTuple):
    """An explicit network: a (m,), rows of unit length (m, d), and u* (d,)."""

    a: Array
    w: Array
    direction: Array

    @property
    def overlaps(self) -> Overlaps:
        """(a, s, r) of the network."""
        return Overlaps.of_weights(self.a, self.w, self.direction)


def run(stage: Stage) -> list[Check]:
    """Look at the invariants of the exact equations and of the mean field."""
    stage.progress("invariants")
    sigma, phi = hermite.relu(SHIFT), hermite.expand(setting.PHI)
    dynamics = ExactOverlaps(sigma, phi, EPSILON)
    weights = _weights(seed=0)
    return [
        *_explicit(dynamics, weights),
        _sampled(dynamics, weights, SAMPLES[stage.size]),
        *_along_a_run(dynamics, weights),
        _twins(dynamics, weights),
        *_mean_field(),
    ]


def velocity(dynamics: ExactOverlaps, weights: Weights) -> tuple[Array, Array]:
    """ȧ (m,) and u̇ (m, d) of the gradient flow of explicit unit weights.

    Args:
        dynamics: σ, the φ of the base case, and ε.
        weights: the network.

    Returns:
        ε ȧ_i = −m ∂R/∂a_i and u̇_i = −m (1 − u_i u_iᵀ) ∂R/∂u_i.
    """
    sigma, phi = dynamics.activation, hermite.expand(setting.PHI)
    a, w, direction = weights
    m = len(a)
    s, r = w @ direction, np.clip(w @ w.T, -1.0, 1.0)
    np.fill_diagonal(r, 1.0)
    slope = sigma.kernel_slope(r)
    np.fill_diagonal(slope, 0.0)  # along u_i itself, which the projection takes away
    pull = np.outer(sigma.overlap_slope(phi, s), direction) - (slope * a) @ w / m
    turn = a[:, None] * (pull - np.sum(pull * w, axis=1)[:, None] * w)
    return (sigma.overlap(phi, s) - sigma.kernel(r) @ a / m) / dynamics.epsilon, turn


def _weights(seed: int) -> Weights:
    w = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((WIDTH, INPUTS))
    a = generator(seed, Stream.OUTPUT_WEIGHTS).standard_normal(WIDTH)
    return Weights(a, w / np.linalg.norm(w, axis=1)[:, None], np.eye(1, INPUTS)[0])


def _explicit(dynamics: ExactOverlaps, weights: Weights) -> list[Check]:
    """Chain rule and dissipation."""
    a_dot, w_dot = velocity(dynamics, weights)
    both = w_dot @ weights.w.T
    truth = a_dot, w_dot @ weights.direction, both + both.T
    state = weights.overlaps
    found = dynamics.rates(state)
    apart = max(
        float(np.abs(ours - theirs).max()) for ours, theirs in zip(found, truth, strict=True)
    )
    lost = (dynamics.epsilon * np.sum(a_dot**2) + np.sum(w_dot**2)) / len(a_dot)
    times = [BRIEF, 2 * BRIEF]
    risk = [dynamics.risk(state), *dynamics.solve(state, times, rtol=1e-10).risk]
    slope = (4 * risk[1] - risk[2] - 3 * risk[0]) / (2 * BRIEF)
    return [
        at_most("(ȧ, ṡ, ṙ) against the flow of explicit weights", f"{WHERE}, 4", 1e-13, apart),
        at_most(
            "dR/dt against −(ε|ȧ|² + |u̇|²)/m, relative", f"{WHERE}, 2", 1e-6, abs(slope / lost + 1)
        ),
    ]


def _sampled(dynamics: ExactOverlaps, weights: Weights, count: int) -> Check:
    """The risk of (a, s, r) against a mean over inputs, in standard errors."""
    draws, phi = generator(0, Stream.DATA), hermite.expand(setting.PHI)
    a, w, direction = weights
    total = square = 0.0
    for _ in range(count // BLOCK):
        x = draws.standard_normal((BLOCK, INPUTS))
        loss = 0.5 * (phi(x @ direction) - dynamics.activation(x @ w.T) @ a / WIDTH) ** 2
        total, square = total + float(loss.sum()), square + float(loss @ loss)
    mean = total / count
    error = math.sqrt((square / count - mean**2) / count)
    off = abs(mean - dynamics.risk(weights.overlaps))
    claim = f"R against the mean of {count:,} inputs, {mean:.5f} ± {error:.5f}, in s.e."
    return at_most(claim, f"{WHERE}, 3", 3.0, off / error)


def _along_a_run(dynamics: ExactOverlaps, weights: Weights) -> list[Check]:
    run = dynamics.solve(weights.overlaps, LATE, rtol=1e-6)
    rise = max(0.0, float(np.diff(run.step_risk).max()))
    return [
        at_most("largest |s_i|", f"{WHERE}, 1", 1.0, float(np.abs(run.s).max())),
        at_most(
            "least eigenvalue of all overlaps below 0, by", f"{WHERE}, 1", 1e-6, -run.gram_floor
        ),
        at_most("largest rise of R in a step", f"{WHERE}, 2", 1e-12, rise),
    ]


def _twins(dynamics: ExactOverlaps, weights: Weights) -> Check:
    """Every neuron beside its twin moves as alone."""
    alone = weights.overlaps
    each = np.repeat(np.arange(WIDTH), 2)
    twins = Overlaps(alone.a[each], alone.s[each], alone.r[np.ix_(each, each)])
    ours, theirs = (dynamics.solve(state, [1.0], rtol=1e-9) for state in (twins, alone))
    apart = max(
        float(np.abs(ours.s[0] - theirs.s[0][each]).max()),
        float(np.abs(ours.a[0] - theirs.a[0][each]).max()),
    )
    return at_most("twins of all neurons against the neurons alone", f"{WHERE}, 6", 1e-7, apart)


def _mean_field() -> list[Check]:
    """A conserved quantity, weights that may be split, and what never starts."""
    atoms, epsilon = np.array(setting.ATOMS), 1e-4
    one = np.array([0.0, 0.0, 1.0])
    start = np.array([0.01, -0.02, 0.015, 0.005])
    single = MeanFieldOverlaps(epsilon, one, one, atoms, overlaps=start)
    found = single.solve(end=0.5, rtol=1e-9)
    kept = 2 * epsilon * found.a**2 + np.log1p(-(found.s**2))
    drift = float(np.abs(kept - kept[0]).max() / np.abs(np.log1p(-(found.s**2))).max())
    base = np.array(setting.SIGMA), np.array(setting.PHI)
    whole = MeanFieldOverlaps(epsilon, *base, atoms).solve(end=1.0, rtol=1e-9)
    split = MeanFieldOverlaps(
        epsilon, *base, np.append(atoms, atoms[0]), np.array([0.15, 0.25, 0.25, 0.25, 0.1])
    ).solve(end=1.0, rtol=1e-9)
    flat = MeanFieldOverlaps(epsilon, base[0], np.array([1.0, 0.0, 1.0, 1.0]), atoms)
    stays = flat.solve(end=10.0)
    return [
        at_most("k ε a² + log(1 − s²), σ = h_2 alone: drift", f"{WHERE}, 5", 1e-6, drift),
        at_most(
            "t_1 to t_3 with a particle's weight split in two, relative",
            f"{WHERE}, 6",
            1e-6,
            float(np.abs(split.crossing_times / whole.crossing_times - 1.0)[1:].max()),
        ),
        at_most(
            "largest |s| where φ_1 = 0", f"{WHERE}, 8 and 9", 0.0, float(np.abs(stays.s).max())
        ),
    ]
