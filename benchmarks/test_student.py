"""Literal descent of a ReLU student on samples of one neuron, beside a PyTorch loop."""

import functools
import time
from dataclasses import dataclass

import numpy as np
import pytest

import contestants
from cases import Case, deviation, reference
from netphase import activations, targets
from netphase.engine.problem import Problem
from netphase.networks import Parameters, student_parameters

CHECKED_STEPS = 200
"""After so many steps the parameters are compared with the float64 reference."""

SAMPLES, INPUTS = 200, 20
"""The shape of the sweep over the width of Ma, Wu & E (2020)."""


@dataclass(frozen=True)
class Student(Case):
    """One width: silent output weights, input weights on the unit sphere, f = Σ a relu(w·x)."""

    @functools.cache  # noqa: B019
    def problem(self) -> Problem:
        """Samples of relu(x₁)."""
        data = targets.single_neuron(self.d).sample(self.n)
        dtype = np.dtype(self.dtype)
        return Problem(data.x.astype(dtype), data.y.astype(dtype), activations.get("relu"), 1.0)

    @functools.cache  # noqa: B019
    def start(self, seed: int = 0) -> Parameters:
        """The start of a student."""
        return student_parameters(self.m, self.d, seed=seed, dtype=self.dtype)

    @functools.cached_property
    def learning_rate(self) -> float:
        """The rate 1e-3 of the paper, on the loss without the factor ½."""
        return 2e-3


CASES = [
    Student(SAMPLES, INPUTS, m, "relu", dtype, 1)
    for dtype in ("float64", "float32")
    for m in (10, 50, 200, 500)
]


@pytest.mark.benchmark(group="student", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("who", ["Netphase", "TorchEager"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_steps_per_core_second(case, who, benchmark, note, quick):
    if who.startswith("Torch"):
        pytest.importorskip("torch")
    contestant = getattr(contestants, who)(case)
    error = deviation(contestant.run(CHECKED_STEPS), reference(case, CHECKED_STEPS))
    assert error < (1e-11 if case.dtype == "float64" else 1e-4)
    speed = 2e-5 if who == "Netphase" else 3e-4  # s a step, about
    steps = max(CHECKED_STEPS, int((0.05 if quick else 0.5) / speed))
    benchmark.pedantic(
        contestant.run, args=(steps,), rounds=1 if quick else 7, warmup_rounds=0 if quick else 1
    )
    note(case=case.name, who=contestant.name, network_steps=steps, error=error)
