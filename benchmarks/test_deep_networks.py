"""Deep networks against PyTorch: gradients, ensembles in training, and the tangent kernel's cost.

Contestants take the same literal steps from the same weights; the error of each is how far its
weights are from those of netphase in float64 after them, relative to what these have moved.
"""

import numpy as np
import pytest

import netphase as nph
from netphase import activations, networks
from netphase.dynamics import DeepGradientDynamics, Descent
from netphase.engine import Stop, _core
from netphase.engine.threads import cores
from netphase.kernels import tangent_kernel
from netphase.scalings import layer_initialisation
from timing import ROUNDS, fastest

DEPTH, WIDTH, SAMPLES, INPUTS, MEMBERS, RATE = 3, 256, 64, 10, 8, 1.0
OPERATIONS = 6 * MEMBERS * SAMPLES * (INPUTS * WIDTH + (DEPTH - 1) * WIDTH**2 + WIDTH)
"""Of a step: three products a layer, of two operations a number and sample."""


def task(dtype):
    """Networks of NTK scaling on random data, and their start."""
    random = np.random.default_rng(0)
    x = random.standard_normal((SAMPLES, INPUTS)) / np.sqrt(INPUTS)
    scales = layer_initialisation("ntk", DEPTH, INPUTS).at_width(WIDTH)
    network = networks.MultiLayerNetwork(activations.get("tanh"), scales, INPUTS, kind="plain")
    start = networks.initial_layer_parameters(network, seeds=range(MEMBERS), dtype=dtype)
    return DeepGradientDynamics(network, x, np.sin(3 * x[:, 0])), start


def descend(dynamics, start, steps):
    stop = Stop(mean_square=0.0, max_steps=steps)
    return nph.evolve(dynamics, Descent(RATE), start, stop=stop).final.weights


class Torch:
    """The same networks in PyTorch: 1/√m before every layer behind the first."""

    def __init__(self, dynamics, start):
        import torch

        torch.set_num_threads(cores())
        self.torch, kind = torch, start.weights[0].dtype
        self.weights = [torch.tensor(each[:, 0]) for each in start.weights]
        self.x = torch.tensor(dynamics.x.astype(kind))
        self.y = torch.tensor(dynamics.y.astype(kind))
        scales = dynamics.network.scales
        self.betas = scales.betas
        self.rates = [
            RATE * rate / beta**2 for rate, beta in zip(scales.rates, scales.betas, strict=True)
        ]

    def loss(self, weights):
        h = self.x
        for beta, w in zip(self.betas[:-1], weights[:-1], strict=True):
            h = self.torch.tanh(beta * (h @ w.T))
        f = self.betas[-1] * (h @ weights[-1].T)[:, 0]
        return 0.5 * ((f - self.y) ** 2).mean()

    def loop(self, steps):
        """Autograd and SGD, one network after another."""
        torch, found = self.torch, []
        for member in range(MEMBERS):
            weights = [w[member].clone().requires_grad_() for w in self.weights]
            groups = zip(weights, self.rates, strict=True)
            optimiser = torch.optim.SGD([{"params": w, "lr": rate} for w, rate in groups], RATE)
            for _ in range(steps):
                optimiser.zero_grad()
                self.loss(weights).backward()
                optimiser.step()
            found.append([w.detach().numpy() for w in weights])
        return [np.stack(layer)[:, None] for layer in zip(*found, strict=True)]

    def vmap(self, steps):
        """torch.func: one vectorised gradient for all networks."""
        step = self.torch.func.vmap(self.torch.func.grad(self.loss))
        weights = [w.clone() for w in self.weights]
        for _ in range(steps):
            for w, slope, rate in zip(weights, step(weights), self.rates, strict=True):
                w.sub_(slope, alpha=rate)
        return [w.numpy()[:, None] for w in weights]


@pytest.mark.parametrize("where", ["one core", "all cores"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.benchmark(group="deep networks: training")
def test_training_steps_of_an_ensemble(benchmark, note, quick, request, dtype, where):
    pytest.importorskip("torch")
    if where == "one core":
        request.getfixturevalue("one_core")
    steps = 3 if quick else 200
    dynamics, start = task(dtype)
    wide, wide_start = task("float64")
    exact = descend(wide, wide_start, steps)

    def error(weights):
        pairs = zip(weights, exact, wide_start.weights, strict=True)
        return max(np.linalg.norm(w - e) / np.linalg.norm(e - s) for w, e, s in pairs)

    descend(dynamics, start, 1)
    peer = Torch(dynamics, start)
    figures = {}
    for name, call in (("loop", peer.loop), ("vmap", peer.vmap)):
        call(1)
        seconds, found = fastest(lambda call=call: call(steps))
        figures[f"torch_{name}_seconds"] = seconds
        figures[f"torch_{name}_error"] = error(found)
    ours = benchmark.pedantic(descend, (dynamics, start, steps), rounds=ROUNDS)
    note(dtype=dtype, m=WIDTH, n=SAMPLES, L=DEPTH, members=MEMBERS, steps=steps, cores=cores())
    note(error=error(ours), **figures)
    if benchmark.stats:
        peak = cores() * _core.fma_gflops(0.2, dtype == "float32")
        rate = OPERATIONS * steps / benchmark.stats.stats.min / 1e9
        note(gflops=rate, share_of_peak=rate / peak)
    assert max(error(ours), figures["torch_loop_error"], figures["torch_vmap_error"]) < 2e-3


def by_autograd(name, network, start, x, pull):
    """PyTorch's gradients of Σ pull·f in the normalised weights, a list of layers (e, 1, …)."""
    import torch
    from torch.nn import functional

    sigma = {
        "relu": torch.relu,
        "leaky_relu": lambda z: functional.leaky_relu(z, activations.LEAKY_SLOPE),
        "tanh": torch.tanh,
        "x_tanh": lambda z: z * torch.tanh(z),
        "x2_tanh": lambda z: z**2 * torch.tanh(z),
        "erf": torch.erf,
        "sigmoid": torch.sigmoid,
        "softplus": lambda z: functional.softplus(z, threshold=1e3),
        "gelu": functional.gelu,
        "centred_sigmoid": lambda z: torch.sigmoid(z) - 0.5,
        "centred_softplus": lambda z: functional.softplus(z, threshold=1e3) - np.log(2),
    }[name]
    found = []
    for e, scales in enumerate(network.members(len(pull))):
        weights = [torch.tensor(w[e, 0], requires_grad=True) for w in start.weights]
        h = torch.tensor(x)
        for beta, w in zip(scales.betas[:-1], weights[:-1], strict=True):
            h = sigma(beta * (h @ w.T))
        f = scales.betas[-1] * (h @ weights[-1].T) / scales.alpha
        (f * torch.tensor(pull[e])).sum().backward()
        found.append([w.grad.numpy()[None] for w in weights])
    return [np.stack(layer) for layer in zip(*found, strict=True)]


@pytest.mark.benchmark(group="deep networks: gradients")
def test_gradients_are_those_of_autograd(benchmark, note):
    """Depths one to six, every activation, two scalings of uneven widths and two outputs."""
    pytest.importorskip("torch")
    worst = {}

    def compare(name, depth):
        names = ("he", "mean_field")
        scales = tuple(layer_initialisation(each, depth, d=3).at_width(40) for each in names)
        widths = (40, 33, 52, 40, 27, 40)[:depth]
        sigma = activations.get(name)
        network = networks.MultiLayerNetwork(sigma, scales, 3, widths, outputs=2, kind="plain")
        start = networks.initial_layer_parameters(network, seeds=(depth,))
        x = np.random.default_rng(depth).standard_normal((16, 3))
        pull = np.random.default_rng(1).standard_normal((2, 16, 2))
        ours = network.gradient(start, x, pull).weights
        for found, expected in zip(ours, by_autograd(name, network, start, x, pull), strict=True):
            away = np.linalg.norm(found - expected, axis=(2, 3))
            error = float((away / np.linalg.norm(expected, axis=(2, 3))).max())
            worst[name] = max(worst.get(name, 0.0), error)

    cases = [(name, depth) for name in activations.NAMES for depth in range(1, 7)]
    benchmark.pedantic(lambda: [compare(*case) for case in cases], rounds=1)
    note(cases=len(cases), **{f"{name}_error": error for name, error in worst.items()})
    assert max(worst.values()) < 1e-12


@pytest.mark.benchmark(group="deep networks: tangent kernel")
@pytest.mark.usefixtures("one_core")
def test_the_tangent_kernel_of_two_layers(benchmark, note, quick):
    n, m = (64, 128) if quick else (256, 1024)
    x = np.random.default_rng(0).standard_normal((n, INPUTS))
    scales = layer_initialisation("ntk", 1, INPUTS).at_width(m)
    network = networks.MultiLayerNetwork(activations.get("relu"), scales, INPUTS, kind="plain")
    start = networks.initial_layer_parameters(network)
    h = np.random.default_rng(1).standard_normal((m, n))
    g = h.copy()  # of its own, so that no product is taken for a symmetric one
    gemms, _ = fastest(lambda: (h.T @ g, g.T @ h))
    found = benchmark.pedantic(tangent_kernel, (network, start, x), rounds=ROUNDS, warmup_rounds=1)
    note(n=n, m=m, gemm_pair_seconds=gemms)
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    beta, gain = scales.betas
    w, a = (torch.tensor(each[0, 0]) for each in start.weights)

    def f(w, a, point):
        return gain * (torch.relu(beta * (w @ point)) @ a[0])

    points = torch.tensor(x)

    def contraction():
        jacobian = torch.func.vmap(torch.func.jacrev(f, argnums=(0, 1)), (None, None, 0))
        rows = [each.reshape(n, -1) for each in jacobian(w, a, points)]
        rates = network.mobilities(1)[0]
        return sum(rate * (j @ j.T) for rate, j in zip(rates, rows, strict=True)).numpy()

    seconds, peer = fastest(contraction)
    note(torch_jacobian_seconds=seconds)
    np.testing.assert_allclose(found.total[0], peer, rtol=1e-10, atol=1e-10 * peer.max())
