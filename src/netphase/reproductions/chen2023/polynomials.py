"""One input: outputs that are polynomials of degree p, and the field that turns the neurons.

Small pre-activations see σ(z) ≈ c zᵖ, so that with a bias the network is a polynomial of degree p
in its input. The neurons turn in the field w′ = a ∇F_p(w), which has stable lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.datasets import Dataset
from netphase.directions import predicted_directions
from netphase.figures import direction_field, functions_over_clouds
from netphase.networks import Parameters, initial_parameters
from netphase.observables import condensed_directions, features
from netphase.reproductions.check import Check, at_least, at_most, close, every
from netphase.reproductions.chen2023 import printed
from netphase.reproductions.chen2023.training import adam, small_network
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel, typical
from netphase.seeds import Stream, generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWS = {"smoke": 2, "small": 10, "paper": 30}
"""Draws of the inputs, each with a network of its own seed."""

STD = printed.STDS[0]
ALIKE = 0.15
"""An output is a polynomial if its distance from one is below this part of its variation."""

OTHER = 0.2
"""The output of ReLU is farther than this from every cubic polynomial."""

ACTIVATIONS = (*printed.DEGREES, "relu")
LINE = np.linspace(*printed.POLYNOMIAL_RANGE, 201)


class Trained(NamedTuple):
    """A network trained by Adam on one draw of the inputs.

    Attributes:
        data: inputs and targets.
        field: the network when the field is looked at.
        output: its values along `LINE` at the end.
        final: the network then.
    """

    data: Dataset
    field: Parameters
    output: Array
    final: Parameters


def one_input(seed: int) -> Dataset:
    """Zhou's task of one input: sin(3x) + sin(6x)/2 at 40 points drawn from [−1, 1.5].

    Args:
        seed: of the points.

    Returns:
        The data, with a bias.
    """
    n = printed.POLYNOMIAL_SAMPLES
    x = generator(seed, Stream.DATA).uniform(*printed.POLYNOMIAL_RANGE, n)
    y = np.sin(3 * x) + np.sin(6 * x) / 2
    return Dataset(np.column_stack([x, np.ones(n)]), y, "sin(3x) + sin(6x)/2")


def polynomial_distance(values: Array, degree: int) -> float:
    """How far a function on an even grid is from the polynomials of a degree.

    Args:
        values: the function, shape (t,).
        degree: of the polynomials.

    Returns:
        Root mean square distance from the nearest one over the standard deviation of the function.
    """
    grid = np.linspace(-1.0, 1.0, len(values))
    nearest = np.polynomial.Polynomial.fit(grid, values, degree)(grid)
    return float(np.sqrt(np.mean((values - nearest) ** 2)) / values.std())


def run(stage: Stage) -> list[Check]:
    """Train the four activations by Adam on several draws; look at outputs, neurons, fields.

    Inputs: sin(3x) + sin(6x)/2 on [−1, 1.5], n = 40, m = 100, std 0.005, learning rate 5e-4;
    outputs at epoch 1000 (Zhou Fig. 5), fields at epoch 200 (Fig. 6).
    """
    stage.progress("polynomials: Adam")
    cases = [(name, seed) for name in ACTIVATIONS for seed in range(DRAWS[stage.size])]
    found = in_parallel(lambda case: train(*case), cases)
    runs = {
        name: [run for (each, _), run in zip(cases, found, strict=True) if each == name]
        for name in ACTIVATIONS
    }
    stage.save(_outputs({name: runs[name][0] for name in ACTIVATIONS}), "figure8")
    for name, p in printed.DEGREES.items():
        if p > 1:
            stage.save(_field(name, runs[name][0]), f"figure8-field-{name}")
    checks = [_polynomial(name, p, runs[name]) for name, p in printed.DEGREES.items()]
    checks += [_lower(name, p, runs[name]) for name, p in printed.DEGREES.items() if p > 1]
    checks.append(_relu(runs["relu"]))
    for name, p in printed.DEGREES.items():
        checks += _lines(name, p, runs[name])
    return checks


def train(activation: str, seed: int) -> Trained:
    """One network, looked at when the field is, and at the end.

    Args:
        activation: σ.
        seed: of the data and of the start.

    Returns:
        The network.
    """
    data = one_input(seed)
    epochs = (printed.FIELD_EPOCH, printed.POLYNOMIAL_EPOCH)
    width, rate = printed.POLYNOMIAL_WIDTH, printed.POLYNOMIAL_RATE
    field, final = adam(data, activation, width, STD, rate, epochs, seed)
    x = np.column_stack([LINE, np.ones_like(LINE)])
    return Trained(data, field, small_network(activation, STD).output(final, x), final)


def residual(trained: Trained, activation: str) -> Dataset:
    """The data with what is left of the targets when the field is looked at."""
    x, y = trained.data.x, trained.data.y
    return Dataset(x, y - small_network(activation, STD).output(trained.field, x), "residual")


def _polynomial(name: str, p: int, runs: list[Trained]) -> Check:
    """Fig. 5a-c: the output is a polynomial of degree p."""
    found = [polynomial_distance(each.output, p) for each in runs]
    return at_most(
        f"{name}: distance of the output from a polynomial of degree {p} over its variation, "
        f"median of {len(runs)} draws",
        "Zhou Fig. 5",
        ALIKE,
        float(np.median(found)),
    )


def _lower(name: str, p: int, runs: list[Trained]) -> Check:
    """A polynomial of one degree less is not enough."""
    ratios = [
        polynomial_distance(each.output, p - 1) / polynomial_distance(each.output, p)
        for each in runs
    ]
    return at_least(
        f"{name}: the same for degree {p - 1}, times as far, median",
        "Zhou Fig. 5",
        3.0,
        float(np.median(ratios)),
    )


def _relu(runs: list[Trained]) -> Check:
    """Fig. 5d: the output of ReLU has turning points, it is no such polynomial."""
    found = [polynomial_distance(each.output, 3) for each in runs]
    return at_least(
        "relu: the same for degree 3, median", "Zhou Fig. 5", OTHER, float(np.median(found))
    )


def _lines(name: str, p: int, runs: list[Trained]) -> list[Check]:
    """Fig. 6: stable lines of the field at the residual then, and the lines the neurons are on."""
    stable, used, foreseen = [], [], []
    for each in runs:
        stable.append(predicted_directions(residual(each, name), name, neurons=0).count // 2)
        foreseen.append(predicted_directions(each.data, name, neurons=0).count // 2)
        used.append(condensed_directions(features(each.field), threshold=0.1, lines=True))
    checks = [
        every(
            f"{name}: field at epoch {printed.FIELD_EPOCH} has {p} stable line{'s' * (p > 1)}",
            "Zhou Fig. 6",
            sum(count == p for count in stable),
            len(stable),
        ),
    ]
    weighted = typical([found.effective_number for found in used])
    words = f"{name}, Adam, epoch {printed.FIELD_EPOCH}: lines weighted by amplitude (1/Σ share²)"
    checks.append(close(words, "Zhou Fig. 6", p, weighted[0], 0.6, weighted[1]))
    if p > 1:
        checks.append(
            every(
                f"{name}, Adam, epoch {printed.FIELD_EPOCH}: lines that the neurons are on are as "
                "many as were predicted before training",
                "Zhou Fig. 6",
                sum(found.count == count for found, count in zip(used, foreseen, strict=True)),
                len(used),
            )
        )
    return checks


def _outputs(runs: dict[str, Trained]) -> Figure:
    """Fig. 5: outputs with the nearest polynomials above, the clouds below."""
    import xarray as xr

    start = features(initial_parameters(printed.POLYNOMIAL_WIDTH, 2, 0, antisymmetric=False))
    columns = {
        name: (
            xr.DataArray(each.output, dims="x", coords={"x": LINE}),
            start,
            features(each.final),
        )
        for name, each in runs.items()
    }
    data = next(iter(runs.values())).data
    figure = functions_over_clouds(columns, (data.x[:, 0], data.y))
    for axes, (name, each) in zip(figure.axes, runs.items(), strict=False):
        degree = printed.DEGREES.get(name, 1)
        nearest = np.polynomial.Polynomial.fit(LINE, each.output, degree)(LINE)
        axes.plot(LINE, nearest, color="black", ls=(0, (3, 2)), lw=0.9)
        words = f"dashed: degree {degree}"
        axes.text(0.64, 0.02, words, transform=axes.transAxes, ha="center", fontsize=6.0)
    return figure


def _field(name: str, trained: Trained) -> Figure:
    """Fig. 6: the field of the first data set with the neurons' ways until it is looked at."""
    start = initial_parameters(printed.POLYNOMIAL_WIDTH, 2, 0, antisymmetric=False)
    left = residual(trained, name)
    prediction = predicted_directions(left, name, neurons=0)
    return direction_field(prediction, left, tracks=(start, trained.field))
