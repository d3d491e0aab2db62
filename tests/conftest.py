"""What every test shares: no windows, repeatable examples, the checkout, a made-up layer sweep."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

from netphase.experiment import to_builtins
from netphase.results import layer_schema
from netphase.scalings import (
    LayerScaling,
    layer_initialisation,
    predicted_layers,
    with_exponents,
)

os.environ["MPLBACKEND"] = "agg"

settings.register_profile("netphase", deadline=None, derandomize=True)
settings.load_profile("netphase")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


def layer_results(
    depth: int = 2,
    axes: tuple[str, str] = ("gamma", "g3"),
    x: tuple[float, ...] = (0.9, 1.2, 1.5, 1.8, 2.1),
    y: tuple[float, ...] = (0.2, 0.5, 0.8),
    widths: tuple[int, ...] = (64, 128, 256, 512),
    seeds: tuple[int, ...] = (0, 1, 2),
    noise: float = 0.01,
    base: LayerScaling | None = None,
    activation: str = "tanh",
    spoilt: dict[tuple[float, float, int], str] | None = None,
) -> xr.Dataset:
    """A layer sweep that nobody has run: the predicted power laws times noise.

    Args:
        depth: L.
        axes: x and y.
        x: values of the first axis.
        y: values of the second one.
        widths: m.
        seeds: of the noise.
        noise: standard deviation of log RD.
        base: the scaling, NTK by default.
        activation: what the attributes say.
        spoilt: (x, y, m) of runs that do not converge → their status.
    """
    law = layer_initialisation("ntk", depth, 3) if base is None else base
    schema = layer_schema(depth, axes)
    coordinates = {axes[1]: y, axes[0]: x, "width": widths, "seed": seeds}
    rows = schema.empty(schema.shape(coordinates))
    random = np.random.default_rng(0)
    for place in np.ndindex(rows.shape[:-1]):
        b, a, m, _ = (values[i] for values, i in zip(coordinates.values(), place, strict=True))
        here = with_exponents(law, {axes[0]: a, axes[1]: b})
        scalars: dict[str, float | int | str] = {
            name: 0.7 * m**slope * np.exp(noise * random.standard_normal())
            for name, slope in predicted_slopes(here).items()
        }
        scalars |= SETTLED | {
            "kappa": here.at_width(m).kappa,
            "status": (spoilt or {}).get((a, b, m), "converged"),
        }
        rows[place] = schema.pack(scalars)
    attributes = {
        "title": "synthetic",
        "depth": depth,
        "plane_x": axes[0],
        "plane_y": axes[1],
        "base": json.dumps(to_builtins(law)),
        "kind": "antisymmetric",
        "activation": activation,
        "data": "synthetic",
        "target_mean_square": 1e-4,
    }
    return schema.dataset(coordinates, rows, attributes)


SETTLED: dict[str, float | int | str] = {
    "alignment_start": 0.4,
    "alignment_end": 0.6,
    "mean_square": 1e-4,
    "time": 50.0,
    "steps": 300,
    "rejected": 0,
    "largest_sharpness": 0.5,
    "wall_seconds": 0.1,
}
"""What every made-up run has."""


def predicted_slopes(scaling: LayerScaling) -> dict[str, float]:
    """Exponents of all changes: features and the kernel change with the layers before them."""
    layers = predicted_layers(scaling)
    slopes = {f"operator_change_{each.layer}": each.operator for each in layers}
    slopes |= {f"frobenius_change_{each.layer}": each.frobenius for each in layers}
    for k in range(1, scaling.depth + 1):
        slope = max(each.operator for each in layers[:k])
        slopes |= {f"{name}_change_{k}": slope for name in ("feature", "feature_gram")}
    return slopes | {"kernel_change": max(each.operator for each in layers)}


@pytest.fixture(name="layer_results", scope="session")
def _layer_results() -> Callable[..., xr.Dataset]:
    """The function `layer_results`, for the tests that read layer sweeps."""
    return layer_results
