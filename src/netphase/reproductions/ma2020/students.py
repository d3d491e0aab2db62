"""Students on infinitely many inputs, on the clock of the published code; spreads over seeds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.dynamics import Descent, Flow
from netphase.quenching import quench
from netphase.reproductions.ma2020.printed import CODE_LOSS

if TYPE_CHECKING:
    import xarray as xr

    from netphase.targets import Target

CODE_STEP = 2 * CODE_LOSS
"""A step of descent on R = ½ E e² over the learning rate of the published code, which descends on
2π E e²."""

FRAMES = 16
"""Records for each factor of ten of iterations."""

LEVEL = 0.95
"""A printed run is one run: it is held against the range in which one more of our seeds would lie
with this probability."""


def student(
    target: Target,
    width: int,
    seed: int,
    rate: float,
    iterations: Array,
    *,
    loss: float = 1e-12,
    mean_field: bool = False,
    literal: bool = False,
) -> xr.Dataset:
    """A network and its random-feature twin on infinitely many Gaussian inputs.

    Args:
        target: what is learnt.
        width: neurons m.
        seed: of the initial weights.
        rate: learning rate of the published code; in the mean-field scaling m times it is taken.
        iterations: increasing iterations to record, > 0; the last one ends the run.
        loss: loss of the published code, 2π E e², that ends the run.
        mean_field: whether the output is divided by m.
        literal: whether to descend in steps of that rate; otherwise its flow is followed, a step
            being a time, which late iterations make affordable.

    Returns:
        What `netphase.quench` returns, with the coordinate ``iteration`` beside ``time``.
    """
    step = CODE_STEP * rate * (width if mean_field else 1)
    result = quench(
        target,
        width,
        seed=seed,
        scaling="mean_field" if mean_field else "conventional",
        method=Descent(step) if literal else Flow(),
        times=step * np.asarray(iterations, dtype=np.float64),
        mean_square=loss / CODE_LOSS,
    )
    return result.assign_coords(iteration=("time", result["time"].values / step))


def spaced(last: float, first: float = 1.0, frames: int = FRAMES) -> Array:
    """Iterations that are evenly spaced in their logarithm.

    Args:
        last: the last one.
        first: the first one, ≥ 1.
        frames: how many for each factor of ten.

    Returns:
        Increasing whole numbers.
    """
    count = 2 + math.ceil(frames * math.log10(last / first))
    return np.unique(np.round(np.geomspace(first, last, count)))


def at(result: xr.Dataset, name: str, iterations: Array) -> Array:
    """A positive series of a run at some iterations, between records a power law.

    Args:
        result: what `student` returned.
        name: the variable, positive, along ``time``.
        iterations: where, shape (k,); beyond the end of the run the last value holds.

    Returns:
        Values, shape (k,).
    """
    clock, values = result["iteration"].values[1:], result[name].values[1:]
    return np.asarray(np.exp(np.interp(np.log(iterations), np.log(clock), np.log(values))))


def first_below(result: xr.Dataset, loss: float) -> float:
    """The iteration at which the loss of the published code is first below a number; NaN if never.

    Args:
        result: what `student` returned.
        loss: 2π E e², > 0.

    Returns:
        The iteration, between records on a power law.
    """
    clock, values = result["iteration"].values[1:], CODE_LOSS * result["test_error"].values[1:]
    below = np.flatnonzero(values <= loss)
    if not len(below):
        return math.nan
    if (index := int(below[0])) == 0:
        return float(clock[0])
    ends = slice(index - 1, index + 1)
    height = np.log(values[ends])[::-1]
    return float(np.exp(np.interp(math.log(loss), height, np.log(clock[ends])[::-1])))


def first_cosine(result: xr.Dataset, index: int) -> Array:
    """Cosines of all neurons with e₁ at one record, shape (m,)."""
    w = result["w"].values[index]
    return np.asarray(w[:, 0] / np.linalg.norm(w, axis=1))


class Range(NamedTuple):
    """Where one more run would lie.

    Attributes:
        mean: mean over the runs there are.
        error: its standard error.
        half: half the width of the range about it.
    """

    mean: float
    error: float
    half: float

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return abs(value - self.mean) <= self.half


def one_more(values: Array) -> Range:
    """The range in which one more run lies with probability `LEVEL`, if runs are normal.

    Args:
        values: one a seed, shape (s,), s ≥ 2.

    Returns:
        The range, of half width t·sd·√(1 + 1/s).
    """
    from scipy.stats import t

    count = len(values)
    spread = float(np.std(values, ddof=1))
    quantile = float(t.ppf(0.5 + LEVEL / 2, count - 1))
    return Range(
        float(np.mean(values)),
        spread / math.sqrt(count),
        quantile * spread * math.sqrt(1 + 1 / count),
    )
