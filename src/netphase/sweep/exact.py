"""The phase diagram of the initial stage at infinite width, labelled; no network is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._checks import finite_array, finite_float
from netphase._types import Array
from netphase.activations import Activation, get
from netphase.datasets import Dataset
from netphase.dynamics import macroscopic_plane
from netphase.errors import ArgumentError
from netphase.results import PLANE, provenance
from netphase.scalings import Regime, distance_to_lines, predicted_exponents, zone_of

if TYPE_CHECKING:
    import xarray as xr

WIDTHS = (1e60, 1e64)
"""Widths between which exponents are those of infinite width, to 0.003 from 0.03 off the lines.

Beside a line two terms compete that differ by a factor m^distance or its root, so that between
10¹² and 10¹⁶ as much is reached from 0.25 off the lines only.
"""

RESOLVED = 0.005
"""An exponent nearer to zero than this counts as zero."""

BLOCKS = ("w", "a", "theta")

_CHANGES = {
    "w": "relative change of the input weights",
    "a": "relative change of the output weights",
    "theta": "relative change of all weights (normalised)",
}


def exact_plane(
    gamma: Sequence[float] | Array,
    gamma_prime: Sequence[float] | Array,
    widths: Sequence[float] | Array = WIDTHS,
    data: Dataset | None = None,
    activation: str | Activation = "tanh",
    *,
    antisymmetric: bool = True,
    part: float = 0.5,
) -> xr.Dataset:
    """Exponents, zones and alignment from the macroscopic equations of the initial stage.

    Args:
        gamma: γ of the columns.
        gamma_prime: γ′ of the rows.
        widths: two widths or more, of any size; the exponents are those between the first and the
            last.
        data: inputs and targets; `datasets.linear()` by default.
        activation: σ of multiplicity one with σ(0) = 0.
        antisymmetric: whether there is a second, opposite copy; without one the random first
            output, ~ m^(1/2 − γ), is left out. It counts up to γ ~ 3/4 at finite width, and
            γ < 1/2 is refused.
        part: the stop, where this part of the error that a linear fit can take away is gone.

    Returns:
        Dataset with ``exponent`` and ``law`` (`scalings.predicted_exponents`) over block,
        gamma_prime and gamma; ``zone`` and ``distance`` (`scalings.distance_to_lines`) over
        gamma_prime and gamma; relative changes, ``alignment_ratio``, ``time`` (normalised) and
        ``breakdown`` (λT at δ = 0.1) over width, gamma_prime and gamma.

    Raises:
        ArgumentError: as `dynamics.macroscopic_plane`, or there are fewer than two widths.

    References:
        Chen et al. (2023), the phase diagram of initial condensation.

    Example:
        >>> plane = exact_plane([0.75, 1.75], [0.0, 1.0])
        >>> plane.zone.values.tolist()
        [['θ-lazy', 'condensed'], ['θ-lazy', 'w-lag']]
    """
    import xarray as xr

    from netphase.datasets import linear

    columns = np.unique(finite_array("gamma", gamma, 1))
    rows = np.unique(finite_array("gamma_prime", gamma_prime, 1))
    whole = np.ravel(np.asarray(widths, dtype=object))  # integers beyond 2^64 among them
    sizes = np.unique([finite_float("widths", each) for each in whole])
    if len(sizes) < 2:
        raise ArgumentError("Argument `widths` must hold two different widths or more.")
    used = linear() if data is None else data
    found = macroscopic_plane(
        columns, rows, sizes, used, activation, antisymmetric=antisymmetric, part=part
    )
    exponent = np.stack([found.exponents(block) for block in BLOCKS])
    law = _law(columns, rows, antisymmetric)
    plane = ("gamma_prime", "gamma")
    return xr.Dataset(
        {
            "exponent": (("block", *plane), exponent, _about("exponent S of RD ∝ m^S")),
            "law": (("block", *plane), law, _about("exponent at infinite width")),
            "zone": (plane, _zones(exponent), {"long_name": zone_criterion()}),
            "distance": (
                plane,
                np.array([[distance_to_lines(g, p) for g in columns] for p in rows]),
                _about("distance from the nearest line of the law"),
            ),
            **_over_widths(found, plane),
        },
        coords={
            "block": list(BLOCKS),
            **{
                name: (name, values, PLANE.axis(name).attributes)
                for name, values in (("gamma", columns), ("gamma_prime", rows), ("width", sizes))
            },
        },
        attrs={
            "title": "netphase exact plane of the initial stage",
            "activation": get(activation).name,
            "data": used.name,
            "data_sha256": used.sha256,
            "antisymmetric": int(antisymmetric),
            "part": part,
            "mean_square": found.mean_square,
            **provenance(),
        },
    )


def zone_criterion() -> str:
    """How the zones are told, in a sentence."""
    return (
        "the signs of S_w and S_a between the first and the last width; critical if one of them "
        f"is smaller than {RESOLVED:g}."
    )


def _about(words: str, units: str = "1") -> dict[str, str]:
    return {"units": units, "long_name": words}


def _law(columns: Array, rows: Array, antisymmetric: bool) -> Array:
    """The law of infinite width, shape (block, rows, columns)."""
    law = np.array([[predicted_exponents(g, p, antisymmetric) for g in columns] for p in rows])
    return np.moveaxis(law, -1, 0)


def _zones(exponent: Array) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words, shape (rows, columns)."""

    def side(value: float) -> Regime:
        if abs(value) < RESOLVED:
            return Regime.CRITICAL
        return Regime.LINEAR if value < 0 else Regime.CONDENSED

    pairs = zip(exponent[0], exponent[1], strict=True)
    return np.array(
        [[zone_of(side(w), side(a)).value for w, a in zip(*row, strict=True)] for row in pairs]
    )


def _over_widths(found: Any, plane: tuple[str, str]) -> dict[str, Any]:
    """What depends on the width."""
    words = {f"relative_change_{block}": (text, "1") for block, text in _CHANGES.items()}
    words |= {
        "alignment_ratio": ("ρ, the share of the input weights along Σ y_i x_i", "1"),
        "time": ("normalised time of the stop", "β1 β2"),
        "breakdown": ("break-down time λT at δ = 0.1", "1"),
    }
    return {
        name: (("width", *plane), getattr(found, name), _about(*about))
        for name, about in words.items()
    }
