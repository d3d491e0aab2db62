"""When each degree of a target is learnt, over ε and seeds, labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from netphase._types import Array, Status
from netphase.results.provenance import provenance
from netphase.results.schema import STATUS_CODES, labels, status_attributes

if TYPE_CHECKING:
    import xarray as xr

NOT_WITHIN = "NaN: not within the run, or nothing to learn"
"""What a time that is not a number means."""


class StageRun(NamedTuple):
    """One run at one ε from one seed; what was not reached is NaN.

    Attributes:
        time: t, shape (t,).
        risk: R, shape (t,).
        residuals: ρ_l of each degree, shape (t, l).
        rms_a: √⟨a²⟩, shape (t,).
        rms_s: √⟨s²⟩, shape (t,).
        learning_time: t_l, the last time at which |ρ_l| ≥ |φ_l|/2, shape (l,).
        window_start: the same for 90 %, shape (l,).
        window_end: the same for 10 %, shape (l,).
        plateau: measured risk behind each degree, shape (l,).
        status: why it ended.
    """

    time: Array
    risk: Array
    residuals: Array
    rms_a: Array
    rms_s: Array
    learning_time: Array
    window_start: Array
    window_end: Array
    plateau: Array
    status: Status


class DegreeTable(NamedTuple):
    """What is predicted and fitted of each degree; arrays of shape (l,), or (epsilon, l).

    Attributes:
        predicted_time: shape (epsilon, l).
        predicted_width: shape (epsilon, l).
        predicted_plateau: risk behind each degree.
        predicted_exponent: p of t_l ∝ ε^p.
        exponent: the fitted one.
        exponent_error: its error.
        exponent_points: values of ε it rests on.
        learnable: whether it is learnt in the end.
        prediction: what its prediction rests on.
        reason: a sentence on why.
    """

    predicted_time: Array
    predicted_width: Array
    predicted_plateau: Array
    predicted_exponent: Array
    exponent: Array
    exponent_error: Array
    exponent_points: Sequence[int]
    learnable: Sequence[bool]
    prediction: Sequence[str]
    reason: Sequence[str]


_SERIES = {
    "risk": ("target units squared", "population risk R = ½ E (φ − f)²"),
    "rms_a": ("1", "root mean square of the output weights"),
    "rms_s": ("1", "root mean square of the overlaps with the target's directions"),
}
_TIMES = {
    "learning_time": "t_l, the last time at which half of degree l is left",
    "window_start": "the last time at which 90 % of degree l are left",
    "window_end": "the last time at which 10 % of degree l are left",
}
_OVER_DEGREES: dict[str, tuple[str, str]] = {
    "predicted_plateau": ("target units squared", "predicted risk once degree l is learnt"),
    "predicted_exponent": (
        "1",
        "predicted exponent p of t_l ∝ ε^p as ε → 0, logarithms aside (NaN: never learnt)",
    ),
    "exponent": (
        "1",
        "measured exponent of t_l; of t_1 over the logarithm of its formula (NaN: too few points)",
    ),
    "exponent_error": (
        "1",
        "its error: standard error of the line and half the drift of the local exponent",
    ),
    "exponent_points": ("1", "values of ε that the exponent rests on"),
    "learnable": ("1", "whether degree l is learnt in the end, by the rules"),
    "prediction": (
        "",
        "what the predicted time rests on: a closed form, the flow that learnt degrees constrain, "
        "an exponent only, or never",
    ),
    "reason": ("", "why"),
}


def timescales_dataset(
    epsilons: Sequence[float] | Array,
    seeds: Sequence[int],
    runs: Sequence[Sequence[StageRun]],
    table: DegreeTable,
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Runs at every ε from every seed, beside what is predicted and fitted.

    Args:
        epsilons: ε, shape (epsilon,).
        seeds: seeds, shape (seed,).
        runs: those of each seed at each ε, all with equal numbers of records; those of one ε have
            equal times.
        table: what is predicted and fitted.
        attributes: verdict, settings and warnings.

    Returns:
        Dataset over ``epsilon``, ``seed``, ``record`` and ``degree``.
    """
    import xarray as xr

    def stacked(name: str) -> np.ndarray[Any, Any]:
        return np.array([[getattr(run, name) for run in row] for row in runs])

    along, inside = ("epsilon", "seed", "record"), ("epsilon", "seed", "degree")
    words = "time t, of SGD steps times their rate (NaN: SGD has fewer steps than records)"
    table_of_times = {
        name: (inside, stacked(name), labels("1", f"{text} ({NOT_WITHIN})"))
        for name, text in _TIMES.items()
    }
    codes = [[STATUS_CODES[run.status] for run in row] for row in runs]
    variables: dict[str, Any] = {
        "t": (("epsilon", "record"), np.array([row[0].time for row in runs]), labels("1", words)),
        **{name: (along, stacked(name), labels(*about)) for name, about in _SERIES.items()},
        "residual": (
            (*along, "degree"),
            stacked("residuals"),
            labels(
                "target units", "residual ρ_l = φ_l − σ_l ⟨a s^l⟩; of several directions its norm"
            ),
        ),
        **table_of_times,
        "plateau": (
            inside,
            stacked("plateau"),
            labels(
                "target units squared",
                "measured risk of the plateau behind degree l, behind the last one that of the end "
                "(NaN: no plateau)",
            ),
        ),
        "status": (("epsilon", "seed"), codes, status_attributes()),
        **_predicted(table),
    }
    return xr.Dataset(
        variables,
        coords={
            "epsilon": ("epsilon", np.asarray(epsilons, dtype=np.float64),
                        labels("1", "learning rate of the first layer in units of the second's")),
            "seed": ("seed", np.asarray(seeds, dtype=np.int64), labels("1", "seed")),
            "degree": ("degree", np.arange(len(table.learnable)), labels("1", "degree l")),
        },
        attrs={"title": "netphase learning time-scales", **attributes, **provenance()},
    )  # fmt: skip


def _predicted(table: DegreeTable) -> dict[str, Any]:
    both = ("epsilon", "degree")
    where = "NaN: only an exponent is known, or it is never learnt"
    found: dict[str, Any] = {
        "predicted_time": (
            both,
            table.predicted_time,
            labels("1", f"predicted t_l ({where}; infinite: not at this scale)"),
        ),
        "predicted_width": (
            both,
            table.predicted_width,
            labels("1", f"predicted time from 90 % to 10 % of degree l ({where})"),
        ),
    }
    for name, (units, text) in _OVER_DEGREES.items():
        about = labels(units, text) if units else {"long_name": text}
        found[name] = ("degree", np.asarray(getattr(table, name)), about)
    return found
