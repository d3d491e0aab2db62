"""Fig. 7, left and middle: in the mean-field scaling all neurons take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase import targets
from netphase.figures import new_figure, panel_label
from netphase.figures.neurons import QUENCHED
from netphase.figures.quenching import draw_plane, unit_directions
from netphase.figures.style import INITIAL, INK, PAGE, SERIES, style, tidy
from netphase.reproductions.check import Check, at_least, close, untested
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.students import first_cosine, one_more, spaced, student
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

SEEDS = {"smoke": 3, "small": 6, "paper": 10}

QUIET = 0.2
"""Neurons with m p below this are "near zero"."""

TAKES_PART = 0.3
"""Share of the neurons over which the function is spread (N₂/m), at least."""

WHERE = "Fig. 7 (slide 32), left and middle"


def run(stage: Stage) -> list[Check]:
    """One neuron learnt in the mean-field scaling.

    Inputs: f* = relu(x₁), m = 50, d = 100, output divided by m, rate m times that of Fig. 1,
    35 000 iterations.
    """
    target = targets.single_neuron(printed.MEAN_FIELD_INPUTS)

    def train(seed: int) -> xr.Dataset:
        return student(
            target,
            printed.MEAN_FIELD_WIDTH,
            seed,
            printed.CODE_RATE,
            spaced(printed.MEAN_FIELD_TIME),
            mean_field=True,
        )

    runs = in_parallel(train, range(SEEDS[stage.size]))
    stage.save(_figure(runs[0]), "figure7-neurons")
    return _checks(runs, stage.size)


def _checks(runs: list[xr.Dataset], size: str) -> list[Check]:
    """How p and the directions are spread in the end."""
    p = np.array([run["p"].values[-1] * run.sizes["neuron"] for run in runs])  # (seeds, m)
    cosine = np.array([first_cosine(run, -1) for run in runs])
    quiet = (np.abs(p) < QUIET).mean(axis=1)
    low, high = printed.ALIGNED
    near = ((cosine >= low) & (cosine <= high)).mean(axis=1)
    spread = np.array([float(run["effective_number"][-1]) / run.sizes["neuron"] for run in runs])
    largest, expected = one_more(np.log10(p.max(axis=1))), float(np.log10(printed.SPREAD[1]))
    words = "log₁₀ of the largest m p_j (± 95 % range of one more run)"
    return [
        close("mean of m p_j", WHERE, 1.0, average(p.mean(axis=1))[0], 0.05),
        untested(words, WHERE, expected)
        if size == "smoke"
        else close(words, WHERE, expected, largest.mean, largest.half, largest.error),
        close(
            f'part of the neurons with m |p_j| < {QUIET:g} ("about a third")',
            WHERE,
            printed.QUIET_SHARE,
            average(quiet)[0],
            0.1,
            average(quiet)[1],
        ),
        at_least(
            f'part of the neurons with cosine {low:g} to {high:g} with the target\'s ("most")',
            WHERE,
            0.5,
            average(near)[0],
            average(near)[1],
        ),
        at_least(
            "all neurons take part: N₂/m (one neuron in the conventional scaling: 0.02)",
            "claim 6",
            TAKES_PART,
            average(spread)[0],
            average(spread)[1],
        ),
    ]


def _figure(run: xr.Dataset) -> Figure:
    """Contributions of all neurons, and their directions at both ends."""
    clock, p = run["iteration"].values[1:], run["p"].values[1:] * run.sizes["neuron"]
    loud = np.abs(p[-1]) >= QUIET
    with style():
        figure = new_figure(PAGE, 2.9)
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1.0))
        left.plot(clock, p[:, ~loud], color=QUENCHED, lw=0.6)
        left.plot(clock, p[:, loud], color=SERIES[0], lw=0.6)
        left.axhline(1.0, color=INK, lw=0.7, ls=":")
        left.plot([], [], color=SERIES[0], label=f"m|p| ≥ {QUIET:g} in the end")
        left.plot([], [], color=QUENCHED, label="others")
        left.plot([], [], color=INK, lw=0.7, ls=":", label="mean")
        left.set(xscale="log", xlim=(clock[0], clock[-1]), xlabel="iteration",
                 ylabel=r"$m\,p_j = a_j\|w_j\|$")  # fmt: skip
        left.legend(loc="upper left")
        draw_plane(right)
        start, end = (unit_directions(run["w"].values[index])[:, :2] for index in (0, -1))
        right.plot(*start.T, "o", ms=2.6, color=INITIAL, label="start")
        right.plot(*end[~loud].T, "x", ms=3.4, color=QUENCHED, label="end, others")
        right.plot(*end[loud].T, "x", ms=3.4, color=SERIES[0], label="end")
        right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, columnspacing=0.8)
        for axes, label in ((left, "(a)"), (right, "(b)")):
            panel_label(axes, label)
        tidy(left)
    return figure
