"""Automatic descent of deep networks against the stable one: gradients each needs, and its error.

Both train one tanh network until the mean square error is 1e-4. The error is the largest of a
layer's displacement against the gradient flow, relative to it, at the time at which the stable
descent ends. An automatic step costs two gradients and one tangent kernel with its eigenvectors.
"""

import numpy as np
import pytest

import netphase as nph
from netphase import activations, datasets, networks
from netphase.dynamics import DeepGradientDynamics, Descent, Flow
from netphase.engine import Stop
from netphase.scalings import LayerScaling, layer_initialisation

TARGET, TOLERANCE, REFERENCE = 1e-4, 0.01, 1e-8
CASES = {
    "lazy, 4 samples": ("ntk", 2, None),
    "long plateau, 4 samples": (None, 2, None),
    "muP, 20 samples": ("mup", 2, 20),
    "muP, 64 samples": ("mup", 3, 64),
}
WIDTH, PLATEAU = 64, LayerScaling(g=(0.8, 0.8, 0.8))


def task(name):
    """One network and its start."""
    scaling, depth, samples = CASES[name]
    if samples is None:
        data = datasets.four_points()
        x, y = data.x, data.y
    else:
        draw = np.random.default_rng(5)
        x = np.column_stack([draw.normal(size=(samples, 2)), np.ones(samples)])
        y = np.sin(2 * x[:, 0]) + 0.5 * x[:, 1]
    d = x.shape[1]
    law = layer_initialisation(scaling, depth, d) if scaling else PLATEAU
    network = networks.MultiLayerNetwork(activations.get("tanh"), law.at_width(WIDTH), d)
    return DeepGradientDynamics(network, x, y), networks.initial_layer_parameters(network)


def error(final, exact, start):
    """The largest relative error of a layer's displacement."""
    layers = zip(final.weights, exact.weights, start.weights, strict=True)
    return max(np.linalg.norm(a - b) / np.linalg.norm(b - s) for a, b, s in layers)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.benchmark(group="deep networks: automatic descent")
@pytest.mark.usefixtures("one_core")
def test_gradients_and_error_of_the_automatic_descent(name, benchmark, note, quick):
    dynamics, start = task(name)
    auto = Descent("auto", TOLERANCE)
    stop = Stop(mean_square=0.02 if quick else TARGET)
    stable = nph.evolve(dynamics, Descent("stable"), start, stop=stop)
    end = Stop(mean_square=0.0, time=float(stable.time[-1, 0]))
    run = benchmark.pedantic(nph.evolve, (dynamics, auto, start), {"stop": stop}, rounds=1)
    exact, followed = (
        nph.evolve(dynamics, method, start, stop=end).final for method in (Flow(REFERENCE), auto)
    )
    found = error(followed, exact, start)
    note(case=name, gradients=int(run.notes["gradients"][0]), error=found)
    note(stable_gradients=int(stable.steps[0]), stable_error=error(stable.final, exact, start))
    assert found < 2 * TOLERANCE
