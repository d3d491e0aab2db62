"""How many lines the neurons of six activations are on: under Adam, and under gradient flow.

The pictures of the literature are made with Adam, whose first steps move every weight by the
learning rate: that is descent along the signs of the gradient, which is not invariant to rotations
and turns neurons to other directions than gradient flow does. So the pictures are counted with
Adam, and the theory is tested with gradient flow.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from netphase.datasets import mnist, sines
from netphase.directions import predicted_directions
from netphase.dynamics import Descent, GradientDynamics, evolve
from netphase.engine.problem import Stop
from netphase.errors import MissingDependencyError
from netphase.figures import cosine_heat_map
from netphase.kernels import stage_end
from netphase.networks import Parameters, initial_parameters
from netphase.observables import (
    Features,
    condensed_directions,
    cosines_with,
    features,
    label_mean,
)
from netphase.reproductions.check import Check, at_least, close, every, untested
from netphase.reproductions.chen2023 import printed
from netphase.reproductions.chen2023.occupation import ACTIVE, LEAST, SIZE, Occupied, occupied
from netphase.reproductions.chen2023.training import adam, rescaled, small_network
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel, typical

SETS = {"smoke": 3, "small": 10, "paper": 30}
"""Data sets, each with a network of its own seed."""

FLOW_SETS = {"smoke": 1, "small": 8, "paper": 20}

STD = printed.STDS[0]
SIGNS_EPOCH = 20
"""Epoch at which Adam has moved every weight along the signs of its gradient."""

RELU_WIDTH, RELU_GROWTH, RELU_PART = 100, 1000.0, 0.003
"""Gradient flow of ReLU: neurons, their growth, and the part of the error that is gone."""

DIGITS = {"small": 1000, "paper": 5000}
WITHIN = 1.0
"""An amplitude-weighted number of lines is near a printed count if it is less than one off."""

LINES = "lines weighted by amplitude (1/Σ share²)"
FLOW = "directions under gradient flow"


class Counted(NamedTuple):
    """The lines of one network.

    Attributes:
        cloud: its neurons.
        lines: their number, at cosines above 0.95.
        weighted: 1/Σ s² of the shares s of amplitude that the lines carry.
    """

    cloud: Features
    lines: int
    weighted: float


def run(stage: Stage) -> list[Check]:
    """Zhou Fig. 2 and 4a with Adam on several draws, and the same data with gradient flow.

    Inputs: sums of five sines, n = 80, m = 50, std 0.005, learning rates of the figure, epoch 100.
    """
    stage.progress("counts: Adam")
    sets = range(SETS[stage.size])
    cases = [(name, k) for name in printed.RATES for k in sets]
    found = in_parallel(lambda case: counted(trained(*case)), cases)
    adam_runs = {
        name: [c for (each, _), c in zip(cases, found, strict=True) if each == name]
        for name in printed.RATES
    }
    low = in_parallel(lambda k: counted(trained("x2_tanh", k, printed.LOW_FREQUENCY)), sets)
    panels = {name: runs[0].cloud for name, runs in adam_runs.items()}
    stage.save(cosine_heat_map(panels, threshold=ACTIVE, literature=True), "figure6")
    return [
        *_adam(adam_runs),
        _low_frequency(low, adam_runs["x2_tanh"]),
        _signs(sets),
        *_flow(stage),
    ]


def run_digits(stage: Stage) -> list[Check]:
    """Zhou Fig. 4b: x² tanh x on digits condenses on one line.

    Inputs: 1000 MNIST images (paper: 5000) in place of 60 000, digit as target, m = 30, std 0.001,
    learning rate 5e-5, epoch 100. A smoke run does not test it.
    """
    claim = "x2_tanh on digits, Adam, epoch 100: lines at cos > 0.95"
    try:
        data = stage.images or (mnist(DIGITS[stage.size]) if stage.size != "smoke" else None)
    except MissingDependencyError:
        data = None
    if data is None:
        return [untested(claim, "Zhou Fig. 4b", printed.DIGITS_LINES, 0)]
    width, std, rate = printed.DIGITS_WIDTH, printed.DIGITS_STD, printed.DIGITS_RATE
    (state,) = adam(data, "x2_tanh", width, std, rate, (printed.EPOCH,), 0)
    network = counted(state)
    stage.save(cosine_heat_map(network.cloud, threshold=ACTIVE, literature=True), "figure10")
    return [close(claim, "Zhou Fig. 4b", printed.DIGITS_LINES, network.lines, 0)]


def trained(
    activation: str, seed: int, frequency: float = 5.0, epoch: int = printed.EPOCH
) -> Parameters:
    """A network of Zhou's Fig. 2 after some epochs of Adam.

    Args:
        activation: σ.
        seed: of the data and of the start.
        frequency: of the sines.
        epoch: steps.

    Returns:
        Its parameters.
    """
    rate, data = printed.RATES[activation], sines(frequency=frequency, seed=seed)
    return adam(data, activation, printed.WIDTH, STD, rate, (epoch,), seed)[0]


def counted(parameters: Parameters) -> Counted:
    """The lines that the active neurons of a network are on."""
    cloud = features(parameters)
    found = condensed_directions(cloud, threshold=ACTIVE, lines=True)
    return Counted(cloud, found.count, found.effective_number)


def _adam(runs: dict[str, list[Counted]]) -> list[Check]:
    """Fig. 2: lines, by amplitude; the plain count at cos > 0.95 is named beside it."""
    checks = []
    expected = {**printed.LINES, "relu": printed.RELU_DIRECTIONS}
    for name, number in expected.items():
        networks = runs[name]
        middle, error = typical([each.weighted for each in networks])
        plain = np.median([each.lines for each in networks])
        draws = f"median of {len(networks)} draws (plain count: {plain:g})"
        claim = f"{name}, Adam, epoch 100: {LINES}, {draws}"
        checks.append(close(claim, "Zhou Fig. 2", number, middle, WITHIN, error))
    order = zip(*(runs[name] for name in ("tanh", "x_tanh", "x2_tanh")), strict=True)
    rising = [a.weighted < b.weighted and a.weighted < c.weighted for a, b, c in order]
    claim = "Adam, epoch 100: fewer lines for p = 1 than for p = 2 and p = 3, draw by draw"
    return [*checks, every(claim, "Zhou Fig. 2", sum(rising), len(rising))]


def _low_frequency(low: list[Counted], high: list[Counted]) -> Check:
    """Fig. 4a: a target of low frequency needs fewer directions."""
    middle, error = typical([each.weighted for each in low])
    other = np.median([each.weighted for each in high])
    return close(
        f"x2_tanh, Adam, frequency 2: {LINES} (frequency 5: {other:.1f})",
        "Zhou Fig. 4a",
        printed.LOW_LINES,
        middle,
        WITHIN,
        error,
    )


def _signs(sets: range) -> Check:
    """Adam first turns neurons to the signs of z, not to z."""
    nearer = []
    for k in sets:
        data = sines(seed=k)
        z, cloud = label_mean(data.x, data.y), features(trained("tanh", k, epoch=SIGNS_EPOCH))
        of_signs, of_z = (np.nanmedian(np.abs(cosines_with(cloud, v))) for v in (np.sign(z), z))
        nearer.append(bool(of_signs > of_z))
    return every(
        f"tanh, Adam, epoch {SIGNS_EPOCH}: median |cos| with sign(z) larger than with z",
        "Adam (derived)",
        sum(nearer),
        len(nearer),
    )


def _flow(stage: Stage) -> list[Check]:
    """Gradient flow from small weights occupies every predicted direction."""
    sets = range(FLOW_SETS[stage.size])
    checks, panels = [], {}
    for name in (*printed.LINES, "relu"):
        stage.progress(f"counts: gradient flow, {name}")
        if name == "relu":
            kinked = in_parallel(relu_network, sets)
            checks += _relu(kinked)
            panels[name] = kinked[0][0]
            continue
        runs = in_parallel(partial(flow_network, name), sets)
        checks += _smooth(name, runs)
        panels[name] = runs[0].cloud
    stage.save(cosine_heat_map(panels, threshold=LEAST), "figure6-flow")
    return checks


def flow_network(activation: str, seed: int) -> Occupied:
    """A network at the end of its initial stage under gradient flow.

    Args:
        activation: σ, smooth; targets are centred where σ(0) ≠ 0, as a constant is fitted first.
        seed: of the data and of the start.

    Returns:
        What it occupies.
    """
    data = sines(seed=seed)
    centred = data.centred() if activation in ("sigmoid", "softplus") else data
    return occupied(centred, activation, seed)


def _smooth(name: str, runs: list[Occupied]) -> list[Check]:
    """Exactly the predicted ones for p = 1; for p > 1 some neurons are still at saddles."""
    numbers = ", ".join(str(each.predicted) for each in runs)
    if printed.LINES[name] == 1:
        exact = sum(each.directions == each.hits == each.predicted == 2 for each in runs)
        claim = f"{name}: neurons are on the 2 predicted directions and no others"
        return [every(claim, FLOW, exact, len(runs))]
    claim = f"{name}: every predicted direction ({numbers}) is occupied"
    return [every(claim, FLOW, sum(each.hits == each.predicted for each in runs), len(runs))]


def relu_network(seed: int) -> tuple[Features, float, int]:
    """ReLU neurons early in gradient flow.

    Args:
        seed: of the data and of the start.

    Returns:
        The cloud, the least cosine of an occupied direction with the nearest predicted one, and
        the number of occupied directions.
    """
    data = rescaled(sines(seed=seed), SIZE)
    network = small_network("relu", (SIZE / RELU_WIDTH) ** 0.5 / RELU_GROWTH)
    start = initial_parameters(RELU_WIDTH, data.d, seed, antisymmetric=False)
    stop = Stop(stage_end(data, "relu", RELU_PART))
    cloud = features(evolve(GradientDynamics(network, data), Descent(), start, stop=stop).final)
    seen = condensed_directions(cloud, threshold=ACTIVE).directions
    expected = predicted_directions(data, "relu", neurons=0, restarts=200).directions
    return cloud, float((seen @ expected.T).max(axis=1).min()), len(seen)


def _relu(runs: list[tuple[Features, float, int]]) -> list[Check]:
    """ReLU has many predicted directions; the fastest few are occupied."""
    return [
        every(
            f"relu: at most {printed.RELU_DIRECTIONS} directions are occupied "
            f"({', '.join(str(count) for _, _, count in runs)})",
            FLOW,
            sum(count <= printed.RELU_DIRECTIONS for _, _, count in runs),
            len(runs),
        ),
        at_least(
            "relu: least cosine of an occupied direction with the nearest predicted one",
            FLOW,
            0.95,
            min(cosine for _, cosine, _ in runs),
        ),
    ]
