"""How long the initial stage lasts: a window of order log m, and where there is none.

T_δ is the time at which |f|_rms has reached δ|y|_rms, in units of the escape, λ = ‖z‖/α. Where both
standard deviations are small enough (γ − |γ′| > 1) it grows with the logarithm of the width;
elsewhere it falls as a power.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from netphase import activations
from netphase.datasets import linear
from netphase.dynamics import (
    Descent,
    GradientDynamics,
    breakdown_time,
    evolve,
    window_law,
)
from netphase.engine.problem import Stop
from netphase.figures import Window, break_down_times
from netphase.networks import TwoLayerNetwork, initial_parameters
from netphase.reproductions.check import Check, at_most, close
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.scalings import ScalingLaw

if TYPE_CHECKING:
    from netphase._types import Array

INSIDE = ((1.5, 0.0), (2.0, 0.0), (1.75, 0.25))
"""Cells with a logarithmic window."""

OUTSIDE = ((1.5, -1.0), (1.25, -0.5))
"""Cells with a power law."""

WIDTHS = {"smoke": (1000, 4000), "small": (1000, 4000, 16000, 64000)}
WIDTHS["paper"] = WIDTHS["small"]
SEEDS = {"smoke": 2, "small": 4, "paper": 8}

WIDE = (1e8, 1e10, 1e12)
DELTA = 0.1
AROUND = np.linspace(0.85, 1.15, 13)
"""Times at which a network is looked at, in units of the macroscopic T_δ."""

WHERE = "break-down time (derived)"

Case = tuple[tuple[float, float], int, int]
"""Cell, width, seed."""


def run(stage: Stage) -> list[Check]:
    """Networks trained to T_δ at several widths, beside the equations and the laws.

    Inputs: as for the plane; antisymmetric start, δ = 0.1.
    """
    widths, seeds = WIDTHS[stage.size], range(SEEDS[stage.size])
    cases = [(cell, m, seed) for cell in (*INSIDE, *OUTSIDE) for m in widths for seed in seeds]
    stage.progress("window: networks")
    found = dict(zip(cases, in_parallel(escapes_of, cases), strict=True))
    times = {
        cell: np.array([[found[cell, m, seed] for m in widths] for seed in seeds])
        for cell in (*INSIDE, *OUTSIDE)
    }
    _draw(stage, times, widths)
    return [
        *(_slope(cell, times[cell], widths, stage.size) for cell in (*INSIDE, *OUTSIDE)),
        *_against_theory(times, widths),
        *(_wide(cell) for cell in (*INSIDE, *OUTSIDE)),
    ]


def escapes_of(case: Case) -> float:
    """λT_δ of a trained tanh network, by interpolation of log |f|_rms.

    Args:
        case: which network.

    Returns:
        λT_δ, NaN if |f|_rms does not pass δ|y|_rms near the expected time.
    """
    cell, width, seed = case
    data, law = linear(), ScalingLaw.plain(*cell)
    network = TwoLayerNetwork(activations.get("tanh"), law.at_width(width))
    expected = breakdown_time(law, width, data, delta=DELTA)
    times = expected.time * AROUND
    dynamics = GradientDynamics(network, data)
    start = initial_parameters(width, data.d, seed)
    stop = Stop(0.0, time=float(times[-1]))
    run = evolve(dynamics, Descent(tolerance=1e-3), start, stop=stop, times=times, tracked=width)
    sizes = [math.sqrt(np.mean(dynamics.output(state) ** 2)) for state in run.snapshots]
    level = math.log(DELTA * math.sqrt(np.mean(data.y**2)))
    factor = np.interp(level, np.log(sizes), AROUND, left=math.nan, right=math.nan)
    return float(expected.escapes * factor)


def _theory(cell: tuple[float, float], width: float) -> tuple[float, float]:
    """λT_δ from the equations and in closed form."""
    found = breakdown_time(ScalingLaw.plain(*cell), width, linear(), delta=DELTA)
    return found.escapes, found.closed


def _rate(cell: tuple[float, float], times: Array, widths: Array) -> Array:
    """Slope of λT in log m, or of its logarithm where a power law holds, over the last axis."""
    values = times if window_law(*cell).logarithmic else np.log(times)
    logs = np.log(widths)
    centred = logs - logs.mean()
    return np.asarray(values @ centred / (centred @ centred))


def _slope(cell: tuple[float, float], times: Array, widths: tuple[int, ...], size: str) -> Check:
    """The slope of the networks against the law, to 5 %."""
    law = window_law(*cell)
    slope, error = average(_rate(cell, times, np.array(widths, dtype=float)))
    kind = "λT against log m: slope" if law.logarithmic else "λT ∝ m^s: exponent s"
    part = 0.1 if size == "smoke" else 0.05
    return close(
        f"γ, γ′ = {cell[0]:g}, {cell[1]:g}, networks: {kind} within {part:.0%} of the law",
        WHERE,
        law.slope,
        slope,
        part * abs(law.slope),
        error,
    )


def _against_theory(
    times: dict[tuple[float, float], Array], widths: tuple[int, ...]
) -> list[Check]:
    """λT of the widest networks against the equations (3 %) and the closed form."""
    gaps, excess = [], []
    for cell, table in times.items():
        mean = float(table[:, -1].mean())
        exact, closed = _theory(cell, widths[-1])
        gaps.append(abs(exact / mean - 1))
        excess.append(abs(closed - mean) / (0.06 * mean + 0.06))
    return [
        at_most(
            f"λT at m = {widths[-1]}: largest relative error of the macroscopic equations",
            WHERE,
            0.03,
            max(gaps),
        ),
        at_most(
            f"λT at m = {widths[-1]}: largest error of the closed form, in units of 6 % + 0.06",
            WHERE,
            1.0,
            max(excess),
        ),
    ]


def _wide(cell: tuple[float, float]) -> Check:
    """The slope of the equations at large widths against the law."""
    law = window_law(*cell)
    times = np.array([_theory(cell, width)[0] for width in WIDE])
    slope = float(_rate(cell, times, np.array(WIDE)))
    return close(
        f"γ, γ′ = {cell[0]:g}, {cell[1]:g}, equations, m = {WIDE[0]:.0e} to {WIDE[-1]:.0e}: "
        f"{'slope' if law.logarithmic else 'exponent'}",
        WHERE,
        law.slope,
        slope,
        0.01 * abs(law.slope),
    )


def _draw(stage: Stage, times: dict[tuple[float, float], Array], widths: tuple[int, ...]) -> None:
    """λT against the width: networks, equations and closed form."""
    fine = np.geomspace(widths[0], widths[-1], 20).round()
    curves = {}
    for cell, table in times.items():
        exact, closed = np.array([_theory(cell, m) for m in fine]).T
        label = rf"$\gamma$ = {cell[0]:g}, $\gamma^{{\prime}}$ = {cell[1]:g}"
        curves[label.replace("-", "−")] = Window(
            np.array(widths, dtype=float), table, fine, exact, closed
        )
    inside = dict(list(curves.items())[: len(INSIDE)])
    outside = dict(list(curves.items())[len(INSIDE) :])
    stage.save(break_down_times(inside, outside, delta=DELTA), "figure4")
