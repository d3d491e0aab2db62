"""Those who train on infinitely many inputs: netphase, NumPy and PyTorch as people write them.

Every contestant is a class with ``name`` and ``run(steps) -> (a, w, mean square)`` from the start
of the case: one ReLU neuron as the target, Gaussian inputs, gradient descent on ½ E e².
"""

import math
from dataclasses import dataclass

import numpy as np

from netphase import activations, targets
from netphase.engine.population import open_field, population_problem
from netphase.networks import TwoLayerNetwork, student_parameters
from netphase.scalings import Scales


@dataclass(frozen=True)
class Case:
    """m students in d dimensions."""

    m: int
    d: int
    rate: float = 0.01

    @property
    def name(self):
        """What it is called."""
        return f"m = {self.m}, d = {self.d}"

    def start(self):
        """Output weights that are not silent, so that everything moves."""
        return student_parameters(self.m, self.d, seed=0, output_std=0.1)

    def problem(self):
        """The engine's problem."""
        network = TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1.0))
        return population_problem(network, targets.single_neuron(self.d))


class Netphase:
    """The compiled descent."""

    name = "netphase"

    def __init__(self, case):
        self.case, self.field, self.start = case, open_field(case.problem()), case.start()

    def run(self, steps):
        u = np.column_stack(self.start)
        _, flow = self.field.velocity(u)
        found = self.field.march(u, flow, self.case.rate, steps, (-1.0, math.inf))
        return found.u[:, 0], found.u[:, 1:], found.mean_square


class Numpy:
    """The closed forms as arrays over all pairs, every array computed once."""

    name = "NumPy"

    def __init__(self, case):
        self.case, self.start = case, case.start()
        self.c = np.eye(1, case.d)

    def pull(self, w, length, u, e, c, v):
        z = np.clip(u @ v.T, -1.0, 1.0)
        if c is w:
            np.fill_diagonal(z, 1.0)
        sine = np.sqrt((1.0 - z) * (1.0 + z))
        opening = math.pi - np.arctan2(sine, z)
        pulled = ((sine @ e)[:, None] * u + opening @ (e[:, None] * v)) / (2 * math.pi)
        return length * np.einsum("md,md->m", u, pulled), pulled

    def look(self, a, w):
        length = np.linalg.norm(w, axis=1)
        u = w / length[:, None]
        own, own_slope = self.pull(w, length, u, a * length, w, u)
        target, target_slope = self.pull(w, length, u, np.ones(1), self.c, self.c)
        square = a @ (own - 2 * target) + 0.5
        return square, own - target, a[:, None] * (own_slope - target_slope)

    def run(self, steps):
        a, w = (each.copy() for each in self.start)
        square, of_a, of_w = self.look(a, w)
        for _ in range(steps):
            a -= self.case.rate * of_a
            w -= self.case.rate * of_w
            square, of_a, of_w = self.look(a, w)
        return a, w, square


class Torch:
    """PyTorch: the risk as written, its gradient by autograd."""

    name = "PyTorch autograd"

    def __init__(self, case):
        import torch

        torch.set_num_threads(1)
        self.torch, self.case, self.start = torch, case, case.start()
        self.c = torch.eye(1, case.d, dtype=torch.float64)
        self.itself = torch.eye(case.m, dtype=torch.bool)

    def kernel(self, b, c, itself=None):
        torch = self.torch
        size, length = b.norm(dim=1), c.norm(dim=1)
        z = (b @ c.T) / (size[:, None] * length)
        if itself is not None:
            z = z.masked_fill(itself, 0.0)  # its angle has no derivative at 0
        z = z.clamp(-1.0, 1.0)
        sine = torch.sqrt((1.0 - z) * (1.0 + z))
        overlap = (sine + (math.pi - torch.atan2(sine, z)) * z) / (2 * math.pi)
        if itself is not None:
            overlap = overlap.masked_fill(itself, 0.5)
        return size[:, None] * length * overlap

    def run(self, steps):
        torch = self.torch
        a = torch.tensor(self.start.a, requires_grad=True)
        w = torch.tensor(self.start.w, requires_grad=True)
        optimiser = torch.optim.SGD([a, w], lr=self.case.rate)
        square = None
        for step in range(steps + 1):
            optimiser.zero_grad()
            square = a @ self.kernel(w, w, self.itself) @ a - 2 * (self.kernel(w, self.c)[:, 0] @ a)
            (0.5 * square).backward()
            if step < steps:
                optimiser.step()
        return a.detach().numpy(), w.detach().numpy(), float(square) + 0.5
