"""Six layers with residual connections: every hidden layer condenses by its own activation.

h₁ = σ₁(W₁x + b₁), h_{l+1} = σ_{l+1}(W_{l+1} h_l + b_{l+1}) + h_l for l = 1 … 4, f = W₆ h₅ + b₆.
This network, its gradient and its training live here only; they are plain NumPy.
"""

from __future__ import annotations

import numpy as np

from netphase import activations
from netphase._types import Array
from netphase.activations import Activation
from netphase.datasets import load
from netphase.figures import cosine_heat_map
from netphase.networks import Parameters
from netphase.observables import CondensedDirections, condensed_directions, features
from netphase.reproductions.check import Check, close
from netphase.reproductions.chen2023 import printed
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel, typical
from netphase.seeds import Stream, generator

Weights = list[Array]
"""One matrix a layer, the bias its last column: shapes (m, d + 1), (m, m + 1), …, (1, m + 1)."""

SETS = {"smoke": 2, "small": 10, "paper": 30}
ACTIVE = 0.1
DECAY1, DECAY2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's numbers (Kingma & Ba, algorithm 1)."""


def run(stage: Stage) -> list[Check]:
    """Train the network on several draws, and count the lines of each layer at its epoch.

    Inputs: y = Σ_k 4 sin(12 x_k + 1) of three inputs from [−4, 2], n = 80, m = 18, std 0.01, Adam
    with learning rate 4e-5 (Zhou Fig. 3).
    """
    stage.progress("residual network")
    runs = in_parallel(lines_of_layers, range(SETS[stage.size]))
    checks = []
    for layer, expected in enumerate(printed.RESIDUAL_LINES):
        name, epoch = printed.RESIDUAL_ACTIVATIONS[layer], printed.RESIDUAL_EPOCHS[layer]
        found = [lines[layer] for _, lines in runs]
        middle, error = typical([each.effective_number for each in found])
        plain = np.median([each.count for each in found])
        claim = (
            f"layer {layer + 1}, {name}, epoch {epoch}: lines weighted by |w| (1/Σ share²), "
            f"median of {len(found)} draws (plain count: {plain:g})"
        )
        checks.append(close(claim, "Zhou Fig. 3", expected, middle, 1.0, error))
    panels = {
        f"layer {layer + 1}: {name}": features(neurons)
        for layer, (name, neurons) in enumerate(
            zip(printed.RESIDUAL_ACTIVATIONS, runs[0][0], strict=True)
        )
    }
    stage.save(cosine_heat_map(panels, threshold=ACTIVE, literature=True), "figure9")
    return checks


def lines_of_layers(seed: int) -> tuple[list[Parameters], list[CondensedDirections]]:
    """Train one network and look at each hidden layer at its epoch.

    Args:
        seed: of the data and of the start.

    Returns:
        The neurons of each layer, their input weights with a = 1, and the lines that they are on.
    """
    data = load(f"{printed.RESIDUAL_SINES}&seed={seed}")
    sigmas = [activations.get(name) for name in printed.RESIDUAL_ACTIVATIONS]
    weights = initial_weights(data.d, printed.RESIDUAL_WIDTH, len(sigmas), seed)
    epochs = printed.RESIDUAL_EPOCHS
    seen = train(weights, sigmas, data.x, data.y, printed.RESIDUAL_RATE, epochs)
    rows = [seen[epoch][layer] for layer, epoch in enumerate(epochs)]
    neurons = [Parameters(np.ones(len(each)), each) for each in rows]
    lines = [condensed_directions(features(n), threshold=ACTIVE, lines=True) for n in neurons]
    return neurons, lines


def initial_weights(d: int, width: int, hidden: int, seed: int) -> Weights:
    """Normal weights and biases of the printed standard deviation.

    Args:
        d: inputs.
        width: neurons m of each hidden layer.
        hidden: number of hidden layers.
        seed: any integer.

    Returns:
        The weights, with the output layer last.
    """
    random = generator(seed, Stream.INPUT_WEIGHTS)
    shapes = [(width, d + 1), *[(width, width + 1)] * (hidden - 1), (1, width + 1)]
    return [printed.RESIDUAL_STD * random.standard_normal(shape) for shape in shapes]


def output(weights: Weights, sigmas: list[Activation], x: Array) -> Array:
    """The function at some inputs.

    Args:
        weights: of all layers.
        sigmas: activations of the hidden layers.
        x: inputs, shape (n, d).

    Returns:
        f(x), shape (n,).
    """
    return np.asarray((_forward(weights, sigmas, x)[1] @ weights[-1].T)[:, 0])


def _forward(
    weights: Weights, sigmas: list[Activation], x: Array
) -> tuple[list[tuple[Array, Array]], Array]:
    """Inputs (with the bias) and pre-activations of the hidden layers, and the last inputs."""
    layers: list[tuple[Array, Array]] = []
    h = _with_ones(x)
    for index, (matrix, sigma) in enumerate(zip(weights, sigmas, strict=False)):
        z = h @ matrix.T  # (n, m)
        layers.append((h, z))
        value = sigma.value(z)
        h = _with_ones(value if index == 0 else value + h[:, :-1])
    return layers, h


def _with_ones(h: Array) -> Array:
    return np.asarray(np.column_stack([h, np.ones(len(h))]))


def gradient(weights: Weights, sigmas: list[Activation], x: Array, y: Array) -> Weights:
    """The gradient of R = (1/2n) Σ (f(x_i) − y_i)².

    Args:
        weights: of all layers.
        sigmas: activations of the hidden layers.
        x: inputs, shape (n, d).
        y: targets, shape (n,).

    Returns:
        In the shapes of ``weights``.
    """
    layers, last = _forward(weights, sigmas, x)
    error = ((last @ weights[-1].T)[:, 0] - y) / len(y)
    found: Weights = [error[None] @ last]
    back = error[:, None] * weights[-1][:, :-1]  # (n, m), ∂R/∂h
    for index in reversed(range(len(sigmas))):
        h, z = layers[index]
        inner = back * sigmas[index].derivative(z)
        found.append(inner.T @ h)
        back = inner @ weights[index][:, :-1] + (back if index else 0.0)
    return found[::-1]


def train(
    weights: Weights,
    sigmas: list[Activation],
    x: Array,
    y: Array,
    rate: float,
    epochs: tuple[int, ...],
) -> dict[int, Weights]:
    """Full-batch Adam.

    Args:
        weights: the start; not changed.
        sigmas: activations of the hidden layers.
        x: inputs, shape (n, d).
        y: targets, shape (n,).
        rate: learning rate.
        epochs: steps after which to keep the weights.

    Returns:
        Epoch → the weights then.
    """
    now = [each.copy() for each in weights]
    means = [np.zeros_like(each) for each in now]
    squares = [np.zeros_like(each) for each in now]
    kept: dict[int, Weights] = {}
    for step in range(1, max(epochs) + 1):
        slopes = gradient(now, sigmas, x, y)
        for each, slope, mean, square in zip(now, slopes, means, squares, strict=True):
            mean += (1 - DECAY1) * (slope - mean)
            square += (1 - DECAY2) * (slope**2 - square)
            root = np.sqrt(square / (1 - DECAY2**step)) + EPSILON
            each -= rate * mean / (1 - DECAY1**step) / root
        if step in epochs:
            kept[step] = [each.copy() for each in now]
    return kept
