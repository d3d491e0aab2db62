"""Whether a target is learnt in the canonical order, and up to which degree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.analysis import TimeScaleFit
from netphase.analysis.time_scales import FEWEST
from netphase.dynamics import DegreePrediction, LearningPrediction, stage_exponents
from netphase.learning.problem import SHORTEST
from netphase.results import StageRun

Word: TypeAlias = Literal["canonical", "not canonical", "undetermined"]
"""What runs at several ε say."""

MARGIN = 0.3
"""Δ: part of the step ½ φ_l² by which the risk may lie below the plateau before the window of
degree l, or above the one behind it. At the edges of a window 10 % of φ_l are learnt or left, so
that 0.19 of the step is gone at its start even in the limit."""

TOLERANCE = 0.03
"""How far a measured exponent may be from that of the canonical order if its error is smaller."""

SURE = 2.0
"""An exponent further away than so many of its errors is another one."""

LARGEST_ERROR = 0.08
"""An exponent with a larger error tells nothing; those of degrees 2 and 3 differ by as much."""

CROSSOVER, LATE = 1e-9, 3
"""Exponents of this degree and later ones hold below this ε: above, t_3 may rise as ε falls."""

ASYMPTOTIC = 1e-6
"""An order that no rule forbids is called not canonical only if the smallest ε is below this; and
the exponent of degree 2 is that of ε up to here, where there are enough of them."""

CRITERION = (
    "degree l is learnt in the canonical order if, at the smallest ε, the risk is within "
    f"{MARGIN:g} of the step ½ φ_l² of the plateau before its window (90 % to 10 % of its "
    "residual) and of the one behind it, the window begins after that of the degree before has "
    "ended, the gap between the two widens as ε falls, and the measured exponent of t_l is that of "
    f"ε^(1/(2l)) within {TOLERANCE:g} or {SURE:g} of its errors (of degree 2 over ε ≤ "
    f"{ASYMPTOTIC:g} if there are {FEWEST}, of later ones over ε ≤ {CROSSOVER:g}); not canonical "
    "if it is never learnt, at another power of ε that theory has for it, or, at ε below "
    f"{ASYMPTOTIC:g}, at another power or with windows that overlap; otherwise undetermined."
)
"""The rule, for tables and captions."""


@dataclass(frozen=True)
class OrderVerdict:
    """The verdict on an order of learning.

    Attributes:
        word: "canonical", "not canonical" or "undetermined".
        level: the last degree found to be learnt in the canonical order; −1 for none.
        reason: a sentence on what stops it there, or that nothing does.
    """

    word: Word
    level: int
    reason: str


class _Finding(NamedTuple):
    word: Word
    reason: str
    ruled: bool = False  # whether a rule says so too


def asymptotic(each: DegreePrediction, epsilons: Array) -> npt.NDArray[np.bool_]:
    """Which ε the exponent of a degree rests on: those small enough for its canonical power.

    Args:
        each: what is predicted of the degree.
        epsilons: ε, shape (epsilon,).

    Returns:
        Shape (epsilon,).
    """
    every = np.ones(len(epsilons), dtype=np.bool_)
    if each.degree < LATE - 1 or each.exponent != stage_exponents(each.degree).time:
        return every
    if each.degree >= LATE:
        return epsilons <= CROSSOVER * (1 + 1e-9)
    small = epsilons <= ASYMPTOTIC * (1 + 1e-9)
    return small if small.sum() >= FEWEST else every


def judge_order(
    prediction: LearningPrediction,
    fits: list[TimeScaleFit],
    epsilons: Array,
    runs: list[list[StageRun]],
) -> OrderVerdict:
    """The canonical order up to which degree, by `CRITERION`.

    Args:
        prediction: what is predicted of the setting.
        fits: of the learning time of each degree.
        epsilons: ε, shape (epsilon,).
        runs: those of each seed at each ε.

    Returns:
        The verdict. Degrees with φ_l = 0 are passed over.

    References:
        Berthier, Montanari & Zhou (2024), the canonical learning order.
    """
    asked = [each for each in prediction.degrees[: len(fits)] if _has_target(prediction, each)]
    level = -1
    if not asked:
        return OrderVerdict("undetermined", level, "The target is zero: there is nothing to learn.")
    order = np.argsort(-np.asarray(epsilons))
    before: DegreePrediction | None = None
    for each in asked:
        if all(run.learning_time[each.degree] == 0.0 for row in runs for run in row):
            level = each.degree  # learnt from the start
            continue
        medians = [_Medians(prediction, runs[i], each, before) for i in order]
        found = _judge(each, fits[each.degree], medians)
        if found.word == "not canonical" and not found.ruled and min(epsilons) > ASYMPTOTIC:
            found = _Finding("undetermined", f"{found.reason} Smaller ε would tell.")
        if found.word == "undetermined":
            later = [later for later in asked if later.degree > each.degree]
            found = _ruled_out(prediction, fits, [runs[i] for i in order], later) or found
        if found.word != "canonical":
            return OrderVerdict(found.word, level, found.reason)
        level, before = each.degree, each
    return OrderVerdict(
        "canonical", level, "Every degree of the target is learnt on its own scale, in order."
    )


def _ruled_out(
    prediction: LearningPrediction,
    fits: list[TimeScaleFit],
    runs: list[list[StageRun]],
    later: list[DegreePrediction],
) -> _Finding | None:
    """The first later degree that a rule and the runs exclude, whatever comes before it."""
    for each in later:
        medians = [_Medians(prediction, row, each, None) for row in runs]
        found = _judge(each, fits[each.degree], medians)
        if found.word == "not canonical" and found.ruled:
            return found
    return None


def _has_target(prediction: LearningPrediction, each: DegreePrediction) -> bool:
    return bool(prediction.target[each.degree] != 0.0)


class _Medians:
    """Runs at one ε as seen from one degree: medians over seeds."""

    def __init__(
        self,
        prediction: LearningPrediction,
        runs: list[StageRun],
        each: DegreePrediction,
        before: DegreePrediction | None,
    ) -> None:
        k = each.degree
        self.learnt = all(math.isfinite(run.window_end[k]) for run in runs)
        plateau = prediction.plateaus
        step = 0.5 * float(prediction.target[k] ** 2)
        self.end = float(np.nanmax(runs[0].time))
        self.excess, self.gap, self.deficit = math.inf, math.inf, 0.0
        if not self.learnt:
            return
        after = [_risk_at(run, run.window_end[k]) - plateau[k] for run in runs]
        self.excess = float(np.median(after)) / step
        if before is not None:
            under = [plateau[before.degree] - _risk_at(run, run.window_start[k]) for run in runs]
            self.deficit = float(np.median(under)) / step
            with np.errstate(divide="ignore"):
                ratios = [run.window_start[k] / run.window_end[before.degree] for run in runs]
            self.gap = float(np.median(ratios))


def _risk_at(run: StageRun, time: float) -> float:
    """The risk at a time, interpolated linearly in log time."""
    if time <= run.time[0]:
        return float(run.risk[0])
    return float(np.interp(math.log(time), np.log(run.time), run.risk))


def _judge(each: DegreePrediction, fit: TimeScaleFit, found: list[_Medians]) -> _Finding:
    """One degree, from the largest ε to the smallest."""
    degree, last = each.degree, found[-1]
    if not each.learnable and not last.learnt:
        return _Finding("not canonical", f"Degree {degree} is never learnt. {each.reason}", True)
    canonical = stage_exponents(degree).time
    exponent = _exponent(each, fit, canonical)
    if not last.learnt:
        if exponent is not None and exponent.word == "not canonical":
            return exponent  # half of it is learnt, at another power
        if each.exponent < canonical and last.end >= SHORTEST:
            left = f"Degree {degree} is not learnt by t = {last.end:.3g}"
            return _Finding("not canonical", f"{left}. {each.reason}", True)
        return _Finding(
            "undetermined",
            f"More than 10 % of degree {degree} is left at the end of the run at the smallest ε: a "
            "longer one would tell.",
        )
    if exponent is not None:
        return exponent
    return _levels(degree, found) or _Finding("canonical", "")


def _exponent(each: DegreePrediction, fit: TimeScaleFit, canonical: float) -> _Finding | None:
    """What the exponent says against the canonical order; None for nothing."""
    degree, size = each.degree, fit.exponent
    if not math.isfinite(size):
        below = f" with ε ≤ {CROSSOVER:g}" if degree >= LATE else ""
        return _Finding(
            "undetermined",
            f"The exponent of degree {degree} needs three values of ε at least{below}, and there "
            f"{'is' if fit.points == 1 else 'are'} {fit.points}.",
        )
    off = abs(size - canonical)
    measured = f"t_{degree} ∝ ε^({size:.3f} ± {fit.error:.3f})"
    if off <= max(TOLERANCE, min(SURE * fit.error, LARGEST_ERROR)) and fit.error <= LARGEST_ERROR:
        if abs(each.exponent - canonical) < TOLERANCE:
            return None
        return _Finding(
            "undetermined",
            f"{measured} is that of the canonical order, but in the limit it is not: {each.reason}",
        )
    expected = abs(size - each.exponent) <= max(TOLERANCE, SURE * fit.error)
    beside = f"{measured}, where the canonical order has {canonical:.3f}"
    if each.exponent != canonical and (expected or abs(size - each.exponent) < off):
        return _Finding("not canonical", f"{beside}: {each.reason}", True)
    nearing = abs(fit.local[-1] - canonical) < abs(fit.local[0] - canonical)
    if off > SURE * fit.error and fit.error <= LARGEST_ERROR and not nearing:
        return _Finding("not canonical", f"{beside}.")
    return _Finding(
        "undetermined",
        f"{measured} is not told from the {canonical:.3f} of the canonical order, nor shown to be "
        "it: smaller ε would tell.",
    )


def _levels(degree: int, found: list[_Medians]) -> _Finding | None:
    """What the risk and the windows say against the canonical order; None for nothing."""
    last, earlier = found[-1], found[-2]
    worst = max(last.excess, last.deficit)
    if last.gap <= 1.0 or worst > MARGIN:
        what = (
            f"the window of degree {degree} overlaps the one before"
            if last.gap <= 1.0
            else f"the risk is {worst:.2f} of the step of degree {degree} off its plateaus"
        )
        improving = last.gap > earlier.gap and worst <= max(earlier.excess, earlier.deficit)
        if improving:
            return _Finding("undetermined", f"At the smallest ε {what}: smaller ε would tell.")
        return _Finding("not canonical", f"At the smallest ε {what}, and no less than before.")
    if math.isfinite(last.gap) and last.gap <= earlier.gap:
        return _Finding(
            "undetermined",
            f"The gap before the window of degree {degree} does not widen as ε falls.",
        )
    return None
