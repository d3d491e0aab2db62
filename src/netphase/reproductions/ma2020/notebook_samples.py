"""Figs 10 and 11 on samples: the linear target at two widths, and descent beside Adam."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from netphase import targets
from netphase.dynamics import Adam, Descent, RandomFeatureDynamics
from netphase.dynamics.methods import Method
from netphase.engine.problem import Stop
from netphase.observables import activated, effective_number
from netphase.reproductions.check import Check, at_least, at_most, close, every
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.neuron_figures import contribution_stems, learning_curves
from netphase.reproductions.ma2020.samples import (
    RATE_STEP,
    Trained,
    curves,
    spaced,
    toleranced,
    train,
)
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.targets import Target

SEEDS = {"smoke": 3, "small": 10, "paper": 30}

RATE, STEPS = 5e-3, 50_000
"""Fig. 10: rate of the wide network, taken for both, and iterations of both."""

END = RATE_STEP * RATE * STEPS
"""Time of these iterations."""

OVERLAP = 0.3
"""Curves that overlap in a plot over two decades differ by less than this in log₁₀."""

LOSS = 1e-5
"""Fig. 11: training error at which the notebooks stop."""

INPUTS = printed.NOTEBOOK_INPUTS
LINEAR, OPTIMISER = "Fig. 10 (notebook, samples)", "Fig. 11 (notebook, samples)"


def run_linear(stage: Stage) -> list[Check]:
    """Fig. 10: the linear target, sparse at m = 20, random features at m = 300.

    Inputs: f* = x₁, d = 19, n = 300, m = 20 and 300, to t = 500, the time of 50 000 iterations at
    rate 5e-3.
    """
    stage.progress("figure10: samples")
    seeds = range(SEEDS[stage.size])
    narrow = in_parallel(partial(_linear, printed.NOTEBOOK_WIDTH), seeds)
    wide = in_parallel(partial(_linear, printed.LINEAR_WIDE), seeds)
    rows = {f"m = {len(each.final.a)}": curves(each, RATE) for each in (narrow[0], wide[0])}
    stage.save(learning_curves(rows), "figure10-samples")
    few = average([_effective(each) / len(each.final.a) for each in narrow])
    many = average([_effective(each) / len(each.final.a) for each in wide])
    gaps = [math.log10(_twin_error(each) / each.test_error(each.final)) for each in wide]
    return [
        close(
            "m = 20: log₁₀ of the test error after 50 000 iterations",
            LINEAR,
            math.log10(printed.LINEAR_TEST),
            *toleranced([math.log10(each.test_error(each.final)) for each in narrow], 0.3),
        ),
        at_most("m = 20: N₂ over m (sparse: below a half)", LINEAR, 0.5, *few),
        close(
            "m = 300: log₁₀ of the test error after 50 000 iterations",
            LINEAR,
            math.log10(printed.LINEAR_WIDE_TEST),
            *toleranced([math.log10(each.test_error(each.final)) for each in wide], 0.1),
        ),
        at_most(
            "m = 300: |log₁₀| of the error over that of the random features at the same time",
            LINEAR,
            OVERLAP,
            *average(np.abs(gaps)),
        ),
        at_least("m = 300: N₂ over m (not sparse: above a half)", LINEAR, 0.5, *many),
    ]


def run_optimisers(stage: Stage) -> list[Check]:
    """Fig. 11: the same targets by descent and by Adam, which is less sparse.

    Inputs: n = 600, single neuron with m = 30, five neurons in the first ten axes with m = 20,
    d = 19, training error 1e-5; descent at half the limit of stability, Adam at rate 5e-3. Momentum
    and batches, which the notebooks have too, are not part of this program.
    """
    stage.progress("figure11: samples")
    cases = {
        "single neuron": (targets.single_neuron(INPUTS), printed.OPTIMISER_WIDTH),
        "five neurons": (_five(), printed.NOTEBOOK_WIDTH),
    }
    methods: dict[str, Method] = {"descent": Descent("stable"), "Adam": Adam(printed.ADAM_RATE)}
    runs: dict[str, dict[str, list[Trained]]] = {}
    for name, (target, width) in cases.items():
        runs[name] = {}
        for words, method in methods.items():
            one = partial(_optimised, target, width, method)
            runs[name][words] = in_parallel(one, range(SEEDS[stage.size]))
    panels = {
        f"{name}, {words}": found[0].contributions(found[0].final)
        for name, both in runs.items()
        for words, found in both.items()
    }
    stage.save(contribution_stems(panels), "figure11-samples")
    return [*_single(runs["single neuron"]), *_several(runs["five neurons"])]


def _single(runs: dict[str, list[Trained]]) -> list[Check]:
    """Adam needs few steps, and leaves many neurons active."""
    adam, plain = runs["Adam"], runs["descent"]
    pairs = zip(adam, plain, strict=True)
    weaker = sum(_effective(a) > _effective(b) for a, b in pairs)
    steps = average([math.log10(each.trajectory.steps) for each in adam])
    largest = average([float(np.abs(each.contributions(each.final)).max()) for each in adam])
    active = average([_active(each) for each in adam])
    return [
        every(
            "single neuron: Adam is less sparse (larger N₂), seed by seed",
            OPTIMISER,
            weaker,
            len(adam),
        ),
        close(
            "single neuron, Adam: log₁₀ of the iterations",
            OPTIMISER,
            math.log10(printed.ADAM_END),
            steps[0],
            0.2,
            steps[1],
        ),
        close(
            "single neuron, Adam: largest contribution",
            OPTIMISER,
            printed.ADAM_LARGEST,
            largest[0],
            0.1,
            largest[1],
        ),
        close(
            "single neuron, Adam: neurons above a tenth of it",
            OPTIMISER,
            printed.ADAM_ACTIVE,
            active[0],
            4.0,
            active[1],
        ),
        at_most(
            "single neuron, descent: neurons above a tenth of the largest",
            OPTIMISER,
            3.0,
            *average([_active(each) for each in plain]),
        ),
    ]


def _several(runs: dict[str, list[Trained]]) -> list[Check]:
    """Descent finds the five neurons, Adam spreads them."""
    plain, adam = runs["descent"], runs["Adam"]
    return [
        close(
            "five neurons, descent: neurons above a tenth of the largest",
            OPTIMISER,
            5.0,
            *toleranced([_active(each) for each in plain], 1.0),
        ),
        at_least(
            "five neurons: N₂ of Adam over that of descent",
            OPTIMISER,
            1.0,
            *average([_effective(a) / _effective(b) for a, b in zip(adam, plain, strict=True)]),
        ),
    ]


def _linear(width: int, seed: int) -> Trained:
    stop = Stop(mean_square=0.0, time=END)
    target = targets.linear(INPUTS)
    times = spaced(1e-2, END, 40)
    return train(target, printed.LINEAR_SAMPLES, width, seed, stop=stop, times=times)


def _five() -> Target:
    """Five neurons in the first ten axes, as the code draws them for samples."""
    return targets.finite_neurons(INPUTS, printed.FINITE_UNITS, seed=0, support=10)


def _optimised(target: Target, width: int, method: Method, seed: int) -> Trained:
    stop = Stop(mean_square=LOSS, max_steps=1_000_000)
    return train(target, printed.OPTIMISER_SAMPLES, width, seed, method=method, stop=stop)


def _effective(trained: Trained) -> float:
    return float(effective_number(trained.contributions(trained.final)))


def _active(trained: Trained) -> float:
    return float(activated(trained.contributions(trained.final)).sum())


def _twin_error(trained: Trained) -> float:
    """Test error of the random features at the time at which the network ended."""
    run = trained.trajectory
    twin = RandomFeatureDynamics(trained.network, trained.data).model(run.initial)
    return trained.test_error(twin.parameters(float(run.time[-1])))
