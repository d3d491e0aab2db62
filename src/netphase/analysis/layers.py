"""What a layer sweep says: exponents and regimes of every layer, verdicts on the networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from netphase._types import Array
from netphase.analysis.cells import (
    Fits,
    Flags,
    all_converged,
    check_widths,
    field,
    fit_cells,
    seed_exponents,
    succeeded,
    verdicts_of,
)
from netphase.analysis.verdict import CRITERION, LAYER_CRITERION, judge_layers
from netphase.errors import ArgumentError
from netphase.scalings import LayerScaling, laziness, predicted_layers, with_exponents

if TYPE_CHECKING:
    import xarray as xr

ATTRIBUTES = ("depth", "plane_x", "plane_y", "base", "kind")
"""What the results of a layer sweep say of its plane."""


class Plane:
    """The plane of a layer sweep, from the attributes of its results.

    Args:
        name: the argument's name, for the message.
        table: anything with the attributes of a layer sweep.
        needed: a variable that it must hold, too.

    Attributes:
        depth: L.
        axes: names of the exponents along x and y.

    Raises:
        ArgumentError: an attribute or the variable is missing.
    """

    def __init__(self, name: str, table: xr.Dataset, needed: str) -> None:
        attributes = getattr(table, "attrs", {})  # of what is no dataset there are none
        missing = [each for each in ATTRIBUTES if each not in attributes]
        if missing:
            raise ArgumentError(
                f"Argument `{name}` must come from a layer sweep, but has no attribute "
                f"`{missing[0]}`."
            )
        if needed not in table:
            source = "`run_layer_sweep`" if name == "results" else "`layer_exponents`"
            raise ArgumentError(
                f"Argument `{name}` must come from {source}, but has no `{needed}`."
            )
        self.depth = int(table.attrs["depth"])
        self.axes = str(table.attrs["plane_x"]), str(table.attrs["plane_y"])
        self._centred = table.attrs["kind"] != "plain"
        try:
            base = msgspec.json.decode(str(table.attrs["base"]), type=LayerScaling)
        except msgspec.MsgspecError as error:
            raise ArgumentError(
                f"Argument `{name}` must say its scaling in the attribute `base`, but it is not "
                f"the JSON of a LayerScaling ({error})."
            ) from error
        # exponents are all that predictions know; formulas would take long to read
        self._base = LayerScaling(g=base.g, rates=base.rates, alpha=base.alpha)

    def scaling(self, x: float, y: float) -> LayerScaling:
        """The scaling at a place, without prefactors."""
        return with_exponents(self._base, {self.axes[0]: x, self.axes[1]: y})

    def operators(self, x: float, y: float) -> Array:
        """Predicted exponents of the layers in the operator norm, shape (L+1,)."""
        layers = predicted_layers(self.scaling(x, y), self._centred)
        return np.array([each.operator for each in layers])

    def predictions(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Operator and Frobenius exponents, (layers, rows, columns), and verdicts, (rows, …)."""
        rows = [[self.scaling(float(a), float(b)) for a in x] for b in y]
        layers = [[predicted_layers(law, self._centred) for law in row] for row in rows]
        operator, frobenius = (
            np.array([[[getattr(each, name) for each in cell] for cell in row] for row in layers])
            for name in ("operator", "frobenius")
        )
        words = np.array([[laziness(law).value for law in row] for row in rows])
        return np.moveaxis(operator, -1, 0), np.moveaxis(frobenius, -1, 0), words


def layer_exponents(results: xr.Dataset) -> xr.Dataset:
    """Exponents in the width of how far every part of deep networks moves, and verdicts.

    Layers are judged by the operator norm, since a hidden matrix that learns features changes by
    low rank only, and the Frobenius norm takes that for lazy. A layer can be lazy by its small
    share of the tangent kernel while another moves, as the inner ones of μP weights trained with
    one rate: a network is θ-lazy where all of its layers are.

    The kernel has no prediction here: where layers are lazy, that of a smooth activation changes
    about as the square of their change, that of ReLU in the first order.

    Predictions are those of `scalings.predicted_layers` and of exponents alone. Below the boundary
    they hold for homogeneous activations, or where pre-activations stay small; those of order one
    saturate, as tanh does, and other layers have to move more.

    Args:
        results: dataset of `sweep.run_layer_sweep`.

    Returns:
        Dataset over (y, x), by the names of the axes, with the dims ``layer`` (1 … L+1) and
        ``hidden`` (1 … L). Over (layer, y, x): ``operator`` and ``frobenius``, the exponents of
        the relative changes, with ``operator_error`` and ``frobenius_error``, their standard
        errors; ``operator_half_width``, the e of the verdicts; ``operator_drift``, local exponent
        at the largest width less that at the smallest; ``operator_regime``; ``trend``, the slope
        between the two largest widths; ``predicted_operator`` and ``predicted_frobenius``. Over
        (hidden, y, x): ``feature`` and ``feature_error``. Over (y, x): ``kernel``,
        ``kernel_error``, ``verdict``, ``predicted_verdict``, ``converged``. Moreover
        ``seed_operator`` (layer, seed, y, x), and ``kappa`` (y, x, width).

    Raises:
        ArgumentError: the results are not of a layer sweep.
        FitError: the sweep has one width only, so there is no slope anywhere.

    References:
        Li, Luo & Zhou (2024) for θ-lazy networks, Zhou et al. (NeurIPS 2022) for layers in regimes
        of their own; both reconstructed.
    """
    import xarray as xr

    plane = Plane("results", results, "status")
    widths = results["width"].values.astype(np.float64)
    check_widths(widths)
    cells = plane.axes[1], plane.axes[0]
    tables = _tables(results, cells)
    usable, converged = succeeded(tables["status"]), all_converged(tables["status"])
    layers, hidden = range(1, plane.depth + 2), range(1, plane.depth + 1)
    operator = [tables[f"operator_change_{k}"] for k in layers]
    frobenius = [tables[f"frobenius_change_{k}"] for k in layers]
    feature = [tables[f"feature_change_{k}"] for k in hidden]

    def fitted(parts: list[Array]) -> list[Fits]:
        return [fit_cells(widths, each, usable) for each in parts]

    fits = fitted(operator)
    data = {
        **_exponents("operator", fits, ("layer", *cells)),
        **_exponents("frobenius", fitted(frobenius), ("layer", *cells)),
        **_exponents("feature", fitted(feature), ("hidden", *cells)),
        **_exponents("kernel", fitted([tables["kernel_change"]]), cells),
        **_regimes(fits, converged, cells),
        **_local(widths, operator, usable, cells),
        **_predictions(plane, results, cells),
        "kappa": (
            (*cells, "width"),
            np.fmax.reduce(tables["kappa"], axis=2),  # NaN where no seed has been run
            _labels("κ = (1/α) Π √m β_l"),
        ),
    }
    coords: dict[str, Any] = {name: results[name] for name in (*cells, "width", "seed")}
    coords |= {
        "layer": ("layer", list(layers), {"long_name": "number of the matrix, from the inputs"}),
        "hidden": ("hidden", list(hidden), {"long_name": "number of the hidden layer"}),
    }
    return xr.Dataset(data, coords=coords, attrs=dict(results.attrs))


def _tables(results: xr.Dataset, cells: tuple[str, str]) -> dict[str, Array]:
    """What every run has, by name, each of shape (rows, columns, seeds, widths)."""
    order = (*cells, "seed", "width")
    return {
        str(name): values.transpose(*order).values
        for name, values in results.items()
        if set(order) == set(values.dims)
    }


def _exponents(name: str, fits: list[Fits], dims: tuple[str, ...]) -> dict[str, Any]:
    """Exponents of one kind of change and their standard errors."""
    found = {}
    for suffix, what, words in (
        ("", "exponent", f"exponent in the width of the {name} change"),
        ("_error", "standard_error", f"standard error of the {name} exponent"),
    ):
        values = np.stack([field(each, what) for each in fits])
        found[name + suffix] = dims, values if len(dims) == 3 else values[0], _labels(words)
    return found


def _predictions(plane: Plane, results: xr.Dataset, cells: tuple[str, str]) -> dict[str, Any]:
    """Exponents and verdicts of infinite width."""
    operator, frobenius, lazy = plane.predictions(*(results[name].values for name in plane.axes))
    over = ("layer", *cells)
    return {
        "predicted_operator": (over, operator, _labels("operator exponent at infinite width")),
        "predicted_frobenius": (over, frobenius, _labels("Frobenius exponent at infinite width")),
        "predicted_verdict": (cells, lazy, {"long_name": "verdict at infinite width"}),
    }


def _regimes(fits: list[Fits], converged: Flags, cells: tuple[str, str]) -> dict[str, Any]:
    """What is judged from the fits in the operator norm."""
    over = ("layer", *cells)
    verdicts = [
        [judge_layers(cell, bool(fine)) for *cell, fine in zip(*rows, strict=True)]
        for rows in zip(*fits, converged, strict=True)
    ]
    return {
        "operator_half_width": (
            over,
            np.stack([field(each, "half_width") for each in fits]),
            _labels("half of the interval that the verdict rests on"),
        ),
        "operator_drift": (
            over,
            np.stack([field(each, "drift") for each in fits]),
            _labels("local exponent at the largest width minus that at the smallest"),
        ),
        "operator_regime": (
            over,
            np.stack([verdicts_of(each, converged) for each in fits]),
            {"long_name": CRITERION},
        ),
        "verdict": (cells, np.array(verdicts), {"long_name": LAYER_CRITERION}),
        "converged": (cells, converged, {"long_name": "whether every run reached its target"}),
    }


def _local(
    widths: Array, changes: list[Array], usable: Flags, cells: tuple[str, str]
) -> dict[str, Any]:
    """Slopes of seeds, and the mean slope between the two largest widths."""
    slopes = [seed_exponents(widths, each, usable) for each in changes]
    last = [
        seed_exponents(widths[-2:], each[..., -2:], usable[..., -2:]).mean(axis=0)
        for each in changes
    ]
    words = "exponent between the two largest widths"
    return {
        "seed_operator": (
            ("layer", "seed", *cells),
            np.stack(slopes),
            _labels("operator exponent of one seed alone"),
        ),
        "trend": (("layer", *cells), np.stack(last), _labels(words)),
    }


def _labels(words: str) -> dict[str, str]:
    return {"units": "1", "long_name": words}
