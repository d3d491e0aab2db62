"""Fig. 7, left and middle: in the mean-field scaling all neurons take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase import targets
from netphase._types import Array
from netphase.reproductions.check import Check, at_least, close
from netphase.reproductions.ma2020 import drawing, printed
from netphase.reproductions.ma2020.students import one_more, spaced, student
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel

if TYPE_CHECKING:
    import xarray as xr

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
    stage.save(drawing.neurons(runs[0]), "figure7-neurons")
    return _checks(runs)


def _checks(runs: list[xr.Dataset]) -> list[Check]:
    """How p and the directions are spread in the end."""
    p = np.array([run["p"].values[-1] * run.sizes["neuron"] for run in runs])  # (seeds, m)
    cosine = np.array([_cosine(run) for run in runs])
    quiet = (np.abs(p) < QUIET).mean(axis=1)
    low, high = printed.ALIGNED
    near = ((cosine >= low) & (cosine <= high)).mean(axis=1)
    spread = np.array([float(run["effective_number"][-1]) / run.sizes["neuron"] for run in runs])
    largest = one_more(p.max(axis=1))
    return [
        close("mean of m p_j", WHERE, 1.0, average(p.mean(axis=1))[0], 0.05),
        close(
            "largest m p_j (± 95 % range of one more run)",
            WHERE,
            printed.SPREAD[1],
            largest.mean,
            largest.half,
            largest.error,
        ),
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


def _cosine(run: xr.Dataset) -> Array:
    """Final cosines with the first axis, shape (m,)."""
    w = run["w"].values[-1]
    return np.asarray(w[:, 0] / np.linalg.norm(w, axis=1))
