"""The staircase of a loss curve: its plateaus in log time, and the escapes between them."""

from __future__ import annotations

import itertools
import math
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_array, finite_float, one_of, positive_float
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.observables.escapes import (
    LN10,
    NOTHING,
    Curve,
    Escape,
    Halfway,
    Height,
    escape_of,
)
from netphase.observables.smoothing import Lines, Nodes, lines_of, nodes_of, noise_of

Word: TypeAlias = Literal["none", "one", "several", "undetermined"]
"""How many plateaus a curve has, or that its records cannot tell."""

LENGTH, SLOPE, DROP = 0.25, 0.1, 1.1
"""Least length of a plateau in powers of ten of time; how fast the loss may move on it, as the
exponent of a power of time; least ratio of the heights of neighbouring ones."""

LEAST_RECORDS = 8
"""Records after time 0 and above the floor without which nothing is said."""

ROUNDING = (16 * float(np.finfo(np.float64).eps)) ** 2
"""Part of the largest loss below which a mean square error in float64 is rounding."""

CELLS, WIDEST, SURE = 8, 6.0, 3.0
"""Nodes in the least length; longest stretch of a slope in units of it; how many times smaller than
the largest slope of a plateau its standard error must be."""

CORE, TIE = math.log10(1.01), 0.05
"""Height is measured where the loss is within 1 % of its flattest moment, the most central one of
those whose slopes differ by less than this part of the largest."""

CLEAN, SMOOTH = 0.02, 0.05
"""A step is read off the records themselves if their noise is below the first part of it, otherwise
off lines through them that tell it to the second part."""


class Plateau(NamedTuple):
    """A stretch of log time on which a loss stands.

    Attributes:
        start: its first moment.
        middle: the centre in log time of the part of it on which its height is measured.
        end: its last moment.
        height: loss on it, the geometric mean where it is flattest.
        error: standard error of ``height``, with how much the loss drifts where it is measured.
        spread: relative root mean square deviation of its records from ``height``: noise and drift.
        from_start: whether it begins with the records, and perhaps earlier.
        to_end: whether it lasts to the last record, and perhaps longer.
    """

    start: float
    middle: float
    end: float
    height: float
    error: float
    spread: float
    from_start: bool
    to_end: bool

    @property
    def length(self) -> float:
        """Length in powers of ten of time."""
        return math.log10(self.end / self.start)


class Staircase(NamedTuple):
    """The plateaus of a loss and how it leaves them.

    Attributes:
        word: "none", "one", "several", or "undetermined": the records cannot tell.
        reason: why they cannot, in a few words; empty otherwise.
        plateaus: in the order of time.
        escapes: in the order of time: one between neighbouring plateaus, and one from the last
            plateau towards 0 if the loss falls below a tenth of it.
        noise: relative standard deviation of a record, median over the records; NaN if there are
            too few.
        untold: powers of ten of time in which the slope is not told, for noise or for want of
            records.
        zero: time from which the loss is at its floor; NaN if it stays above.
    """

    word: Word
    reason: str
    plateaus: tuple[Plateau, ...]
    escapes: tuple[Escape, ...]
    noise: float
    untold: float
    zero: float


class _Run(NamedTuple):
    """Flat nodes at one height, with whatever lies between them."""

    nodes: npt.NDArray[np.intp]
    core: npt.NDArray[np.intp]
    height: Height


def find_plateaus(
    time: Array,
    loss: Array,
    *,
    length: float = LENGTH,
    slope: float = SLOPE,
    drop: float = DROP,
    noise: float | None = None,
    floor: float | None = None,
    halfway: Halfway = "linear",
) -> Staircase:
    """The plateaus of a loss curve in log time, and the escapes between them.

    A plateau is a stretch of at least ``length`` powers of ten of time on which the loss moves
    slower than t^±slope. Slopes are those of straight lines through means over an eighth of
    ``length``; each is fitted over the shortest stretch, of three means at least and six times
    ``length`` at most, that tells it to a third of ``slope``, so the noise decides how much is
    smoothed, and a plateau shorter than that is not seen. Flat stretches of the same height are one
    plateau, whatever bump lies between them. A start from which the loss has not moved yet, and a
    floor that it does not leave, are plateaus with ``from_start`` or ``to_end``; a power law faster
    than t^−slope has none.

    Args:
        time: increasing times ≥ 0, evenly spaced or not, shape (t,); a record at 0 has no place in
            log time and is left out.
        loss: losses ≥ 0, shape (t,).
        length: least length of a plateau in powers of ten of time.
        slope: how fast the loss may rise or fall on a plateau, as |d log loss/d log time|.
        drop: least ratio, > 1, of the heights of neighbouring plateaus; closer ones, and those
            that differ by less than three standard errors, are one.
        noise: relative standard deviation of one record, independent of the others; 0 for an exact
            curve; None to estimate it along the curve from neighbouring records.
        floor: loss that counts as zero; None for `ROUNDING` times the largest loss. Records from
            the first one on after which most are zero are left out, and single ones before.
        halfway: "linear" or "log": whether an escape is half-way where half of the loss, or of its
            logarithm, between the two heights is gone; the same for its 10 % and 90 %.

    Returns:
        The staircase. It does not depend on the units of time and loss.

    Raises:
        ArgumentError: the times do not increase, a loss is negative, the shapes differ, a number is
            not finite, or a parameter is outside its range.

    References:
        Berthier, Montanari & Zhou (2024): plateaus and escapes of the risk against log time.

    Example:
        >>> time = np.geomspace(1.0, 1e6, 241)
        >>> loss = 1 / (1 + (time / 100) ** 4) + 0.01 / (1 + (time / 1e4) ** 4) + 1e-4
        >>> found = find_plateaus(time, loss)
        >>> found.word, [f"{each.height:.2g}" for each in found.plateaus]
        ('several', ['1', '0.01', '0.0001'])
        >>> [f"{each.time:.2g}" for each in found.escapes]
        ['1e+02', '1e+04']
    """
    clock, values = _curve(time, loss)
    shortest, steepest = positive_float("length", length), positive_float("slope", slope)
    if positive_float("drop", drop) <= 1.0:
        raise ArgumentError(f"Argument `drop` must be larger than 1, but is {drop}.")
    one_of("halfway", halfway, get_args(Halfway))
    given = None if noise is None else _at_least_zero("noise", noise) / LN10
    least = ROUNDING * float(values.max()) if floor is None else _at_least_zero("floor", floor)
    zero, kept = _above(clock, values, least)
    if len(kept) < LEAST_RECORDS:
        reason = f"{len(kept)} records after time 0 and above the floor; {LEAST_RECORDS} are needed"
        return Staircase("undetermined", reason, (), (), math.nan, math.nan, zero)
    search = _Search(clock[kept], values[kept], given, shortest, steepest, math.log10(drop))
    return search.staircase(halfway, zero)


class _Search:
    """The plateaus of one curve in log-log coordinates."""

    def __init__(
        self,
        clock: Array,
        loss: Array,
        noise: float | None,
        length: float,
        slope: float,
        drop: float,
    ) -> None:
        self.clock, self.length, self.slope, self.drop = clock, length, slope, drop
        self.x, self.y = x, y = np.log10(clock), np.log10(loss)
        constant = None if noise is None else np.full(len(x), noise)
        self.noise = noise_of(x, y) if constant is None else constant
        self.nodes: Nodes = nodes_of(x, y, constant, length / CELLS)
        self.shortest = 2.5 * length / CELLS
        self.lines: Lines = lines_of(
            self.nodes, self.shortest, WIDEST * length, slope_error=slope / SURE
        )
        known = self.lines.slope_error <= slope / SURE
        with np.errstate(invalid="ignore"):
            steep = np.abs(self.lines.slope) - 2 * self.lines.slope_error > slope
            self.flat = known & (np.abs(self.lines.slope) < slope)
        self.untold = ~known & ~steep

    def staircase(self, halfway: Halfway, zero: float) -> Staircase:
        """Everything that is found, or why nothing can be."""
        runs = self._merged(self._flat_runs())
        runs = self._merged([run for run in runs if self._is_long(run)])
        plateaus = tuple(self._plateau(run) for run in runs)
        untold = _runs_of(self.untold)
        lengths = [float(self.nodes.x[part[-1]] - self.nodes.x[part[0]]) for part in untold]
        reason, span = "", float(self.x[-1] - self.x[0])
        if span < 2 * self.length:
            reason = (
                f"the records span {span:.2g} powers of ten of time, less than twice the least "
                "length of a plateau"
            )
            plateaus = ()
        elif not plateaus and max(lengths, default=0.0) >= self.length:
            reason = (
                "for noise or for want of records the slope is not known over "
                f"{max(lengths):.2g} powers of ten of time"
            )
        word: Word = "undetermined" if reason else "none"
        if plateaus:
            word = "one" if len(plateaus) == 1 else "several"
        return Staircase(
            word,
            reason,
            plateaus,
            self._escapes(runs, halfway) if plateaus else (),
            LN10 * float(np.median(self.noise)),
            sum(lengths),
            zero,
        )

    def _flat_runs(self) -> list[_Run]:
        return [self._run(part) for part in _runs_of(self.flat)]

    def _run(self, nodes: npt.NDArray[np.intp]) -> _Run:
        """Flat nodes with their height, taken where the longest stretch of them is flattest."""
        value, error = self.lines.value[nodes], self.lines.value_error[nodes]
        slope, x = np.abs(self.lines.slope[nodes]), self.nodes.x[nodes]
        parts = np.split(np.arange(len(nodes)), np.flatnonzero(np.diff(nodes) > 1) + 1)
        part = max(parts, key=lambda each: float(x[each[-1]] - x[each[0]]))
        off = np.abs(x[part] - (x[part[0]] + x[part[-1]]) / 2)
        off[slope[part] > slope[part].min() + TIE * self.slope] = math.inf
        best = int(part[off.argmin()])
        near = np.maximum(CORE, 2 * np.hypot(error, error[best]))
        core = nodes[np.abs(value - value[best]) <= near]
        y, variance = self.nodes.y[core], self.nodes.error[core] ** 2
        weight = 1 / (variance + (CORE / 10) ** 2)  # nodes without noise weigh alike
        weight /= weight.sum()
        height = float(weight @ y)
        expected = math.sqrt(float(weight**2 @ variance))
        seen = math.sqrt(float(weight**2 @ (y - height) ** 2))  # the means may be correlated
        trend = self.lines.value[core]
        drift = float(weight @ (trend - weight @ trend) ** 2)
        drift -= float(weight @ self.lines.value_error[core] ** 2)
        off_by = math.hypot(max(expected, seen), math.sqrt(max(0.0, drift)))
        return _Run(nodes, core, Height(height, off_by))

    def _merged(self, runs: list[_Run]) -> list[_Run]:
        """Neighbouring runs of one height joined."""
        joined: list[_Run] = []
        for run in runs:
            while joined and self._same(joined[-1], run):
                run = self._run(np.concatenate([joined.pop().nodes, run.nodes]))
            joined.append(run)
        return joined

    def _same(self, first: _Run, second: _Run) -> bool:
        apart = abs(first.height.y - second.height.y)
        return apart < max(self.drop, 3 * math.hypot(first.height.error, second.height.error))

    def _is_long(self, run: _Run) -> bool:
        """Whether a run has the least length, and more than two records."""
        start, end = self._ends(run)
        return end - start >= self.length * (1 - 1e-9) and len(self._records(start, end)) > 2

    def _ends(self, run: _Run) -> tuple[float, float]:
        """Where the slope passes its limit, between nodes, on both sides of a run."""
        return self._end(int(run.nodes[0]), -1), self._end(int(run.nodes[-1]), 1)

    def _end(self, index: int, side: int) -> float:
        """The end of a run whose last node on a side is known."""
        x, slope, beyond = self.nodes.x, np.abs(self.lines.slope), index + side
        if not 0 <= beyond < len(x):
            return float(self.x[0 if side < 0 else -1])
        if not slope[beyond] > self.slope:  # not told there
            return float(x[index])
        part = (self.slope - slope[index]) / (slope[beyond] - slope[index])
        return float(x[index] + part * (x[beyond] - x[index]))

    def _records(self, start: float, end: float) -> npt.NDArray[np.intp]:
        return np.flatnonzero((self.x >= start - 1e-12) & (self.x <= end + 1e-12))

    def _plateau(self, run: _Run) -> Plateau:
        start, end = self._ends(run)
        centre = float(self.nodes.x[run.core[[0, -1]]].mean())
        off = self.y[self._records(start, end)] - run.height.y
        height = 10.0**run.height.y
        from_start, to_end = run.nodes[0] == 0, run.nodes[-1] == len(self.nodes.x) - 1
        return Plateau(
            float(self.clock[0]) if from_start else 10.0**start,
            10.0**centre,
            float(self.clock[-1]) if to_end else 10.0**end,
            height,
            LN10 * height * run.height.error,
            LN10 * math.sqrt(float(np.mean(off**2))),
            bool(from_start),
            bool(to_end),
        )

    def _escapes(self, runs: list[_Run], halfway: Halfway) -> tuple[Escape, ...]:
        """Between all neighbours, and from the last one down."""
        found = []
        for first, second in itertools.pairwise(runs):
            span = int(first.core[-1]), int(second.core[0])
            curve = self._stretch(*span, abs(first.height.y - second.height.y))
            found.append(escape_of(curve, first.height, second.height, halfway))
        last = runs[-1]
        end = len(self.nodes.x) - 1
        if halfway == "linear" and last.nodes[-1] != end:
            curve = self._stretch(int(last.core[-1]), end, 1.0)
            if curve.y[-1] < last.height.y - 1.0:
                found.append(escape_of(curve, last.height, NOTHING, halfway))
        return tuple(found)

    def _stretch(self, first: int, last: int, step: float) -> Curve:
        """The curve from a node to another: its records, or smoothed where they are noisy."""
        start, end = self.nodes.x[first], self.nodes.x[last]
        final = last == len(self.nodes.x) - 1
        kept = (self.x >= start) & ((self.x <= end) | final)
        if kept.sum() > 1 and float(self.noise[kept].max()) <= CLEAN * step:
            return Curve(self.clock[kept], self.y[kept], self.noise[kept])
        smooth = lines_of(self.nodes, self.shortest, self.length, value_error=SMOOTH * step)
        part = slice(first, last + 1)
        return Curve(10.0 ** self.nodes.x[part], smooth.value[part], smooth.value_error[part])


def _runs_of(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.intp]]:
    """Indices of the unbroken stretches of a mask."""
    places = np.flatnonzero(mask)
    return np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(places) else []


def _curve(time: Array, loss: Array) -> tuple[Array, Array]:
    """Times and losses in float64, checked."""
    clock = np.asarray(finite_array("time", time, 1), np.float64)
    values = np.asarray(finite_array("loss", loss, 1), np.float64)
    if clock.shape != values.shape:
        raise ArgumentError(
            "Arguments `time` and `loss` must hold equally many numbers, but hold "
            f"{len(clock)} and {len(values)}."
        )
    if clock[0] < 0.0 or np.any(np.diff(clock) <= 0.0):
        raise ArgumentError("Argument `time` must increase from a time ≥ 0 on, but does not.")
    if values.min() < 0.0:
        raise ArgumentError(
            f"Argument `loss` must not be negative, but its entry {int(values.argmin())} is "
            f"{values.min():g}."
        )
    return clock, values


def _at_least_zero(name: str, value: float) -> float:
    number = finite_float(name, value)
    if number < 0.0:
        raise ArgumentError(f"Argument `{name}` must not be negative, but is {number}.")
    return number


def _above(clock: Array, values: Array, floor: float) -> tuple[float, npt.NDArray[np.intp]]:
    """When a loss gets down to its floor for good, and which records lie before and above."""
    low = values <= floor
    share = np.cumsum(low[::-1])[::-1] / np.arange(len(low), 0, -1)
    ended = np.flatnonzero(low & (share >= 0.5))
    until = int(ended[0]) if len(ended) else len(low)
    zero = float(clock[until]) if len(ended) else math.nan
    return zero, np.flatnonzero((clock > 0.0) & ~low & (np.arange(len(low)) < until))
