"""How many directions: at most 2p where that is a theorem, and more than 2p where it is not.

Neurons of multiplicity p condense on maxima of ±F_p on the sphere, F_p(w) = (1/n) Σ y_i (w·x_i)^p.
These are at most 2p for p = 1, for p = 2 and in two input dimensions; that they are at most 2p
always is a conjecture, which fails for p = 3.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from netphase import activations
from netphase.activations import Activation
from netphase.datasets import Dataset, axes, gaussian, sines
from netphase.directions import escape, predicted_directions
from netphase.figures import cosine_heat_map
from netphase.networks import Parameters, initial_parameters
from netphase.observables import condensed_directions, features
from netphase.reproductions.check import Check, at_least, close, every, same, untested
from netphase.reproductions.chen2023.occupation import GROWTH, LEAST, WIDTH, Occupied, occupied
from netphase.reproductions.chen2023.polynomials import one_input
from netphase.reproductions.chen2023.training import rescaled
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel

DRAWS = {"smoke": 12, "small": 150, "paper": 500}
"""Random data sets of n = 12 Gaussian samples in d = 4."""

SETS = {"smoke": 2, "small": 20, "paper": 50}
"""Random data sets in each dimension for p = 2."""

SINES = {"smoke": 0, "small": 25, "paper": 100}
"""Draws of Zhou's five-dimensional inputs."""
LESS_GROWTH = 1000.0
"""Growth of networks whose stage is compared with that of networks that grow more."""

SHARE_ABOVE, SHARE_ERROR = 16 / 150, 0.025
"""Gaussian sets with more than 6 directions, as found by an independent program on 150 of them."""

WHERE, THEORY = "conjecture of Zhou", "directions (derived)"


def x3_tanh() -> Activation:
    """The activation x³ tanh x, of multiplicity 4."""
    return activations.from_pair(
        "x3_tanh",
        lambda z: z**3 * np.tanh(z),
        lambda z: 3 * z**2 * np.tanh(z) + z**3 / np.cosh(z) ** 2,
        multiplicity=4,
    )


ACTIVATIONS: tuple[str | Activation, ...] = ("tanh", "x_tanh", "x2_tanh", x3_tanh())
"""Multiplicities 1 to 4; all have c = 1."""


def saturating(p: int, n: int = 40) -> Dataset:
    """Data of one input with a bias on which F_p is Re (w₁ + i w₂)^p: 2p directions alike.

    Args:
        p: multiplicity.
        n: samples, evenly over [−1, 1.5].

    Returns:
        The targets of least size with these moments, rescaled to root mean square one.
    """
    x = np.linspace(-1.0, 1.5, n)
    powers = np.vander(x, p + 1, increasing=True).T  # (p + 1, n)
    moments = n * np.array([(1j ** (p - k)).real for k in range(p + 1)])
    y = np.linalg.lstsq(powers, moments, rcond=None)[0]
    return rescaled(Dataset(np.column_stack([x, np.ones(n)]), y, f"saturating, p = {p}"), 1.0)


def run(stage: Stage) -> list[Check]:
    """Predict directions, follow neurons, and train networks; p = 1 to 4.

    Inputs: one input with a bias (targets made for it, and Zhou's sin(3x) + sin(6x)/2); random data
    in more dimensions; the unit vectors with y = 1. Trained networks start from neurons that are
    rescaled to escape together (p > 1), by gradient flow.
    """
    stage.progress("bound: one input dimension")
    found = in_parallel(lambda p: occupied(saturating(p), ACTIVATIONS[p - 1], 0), range(1, 5))
    checks = [*_saturation(found), _zhou(stage), *_second_order(stage), *_stage_length(found)]
    stage.progress("bound: counterexamples")
    twelve = occupied(axes(6), "x2_tanh", 0)
    checks += [*_unit_vectors(twelve), *_ordinary(stage)]
    panels = {f"p = {p}": each.cloud for p, each in enumerate(found, 1)}
    panels["p = 3, axes"] = twelve.cloud
    stage.save(cosine_heat_map(panels, threshold=LEAST), "figure7")
    return [*checks, *_sines(stage)]


def _saturation(found: list[Occupied]) -> list[Check]:
    """In one input dimension 2p directions can be had, and networks have them."""
    return [
        same(
            "one input, targets made for it: directions predicted for p = 1, 2, 3, 4",
            WHERE,
            "2, 4, 6, 8",
            ", ".join(str(each.predicted) for each in found),
        ),
        same(
            "the same: directions that trained networks occupy at the end of their initial stage",
            WHERE,
            "2, 4, 6, 8",
            ", ".join(str(each.directions) for each in found),
        ),
        at_least(
            "the same: least cosine of an occupied direction with the nearest predicted one",
            THEORY,
            0.99,
            min(each.nearest for each in found),
        ),
    ]


def _zhou(stage: Stage) -> Check:
    """The target of Zhou's Fig. 5: over random inputs never more than 2p."""
    sets = [one_input(seed) for seed in range(DRAWS[stage.size])]
    orders = range(1, 5)
    most = [
        max(predicted_directions(data, multiplicity=p, neurons=0).count for data in sets)
        for p in orders
    ]
    return every(
        f"sin(3x) + sin(6x)/2, {len(sets)} draws of 40 inputs: at most 2p directions (most for "
        f"p = 1, 2, 3, 4: {', '.join(map(str, most))})",
        WHERE,
        sum(count <= 2 * p for count, p in zip(most, orders, strict=True)),
        len(most),
    )


def _second_order(stage: Stage) -> list[Check]:
    """P = 2: at most four directions in any dimension, and all neurons end in them."""
    sets = [gaussian(30, d - 1, seed) for d in range(3, 9) for seed in range(SETS[stage.size])]
    counts, ends = [], []
    for seed, data in enumerate(sets):
        expected = predicted_directions(data, multiplicity=2, neurons=0)
        a, w = initial_parameters(WIDTH, data.d, seed, antisymmetric=False)
        end = escape(data, None, a, w, multiplicity=2)
        left = np.isfinite(end.time)
        unit = end.w[left] / np.linalg.norm(end.w[left], axis=1, keepdims=True)
        counts.append(expected.count)
        ends.append(float((unit @ expected.directions.T).max(axis=1).min()))
    return [
        every(
            "p = 2, random data with d = 3 to 8: at most 4 directions",
            THEORY,
            sum(count <= 4 for count in counts),
            len(counts),
        ),
        at_least(
            f"the same: least cosine of {WIDTH} neurons at their blow-up with a predicted one",
            THEORY,
            0.999,
            min(ends),
        ),
    ]


def _stage_length(found: list[Occupied]) -> list[Check]:
    """For p > 1 the escape is a blow-up: its time goes as a power of the weights at the start."""
    checks = []
    for p in (2, 3):
        shorter = occupied(saturating(p), ACTIVATIONS[p - 1], 0, LESS_GROWTH)
        slope = math.log(found[p - 1].time / shorter.time) / math.log(GROWTH / LESS_GROWTH)
        claim = f"p = {p}: length of the initial stage ∝ std^−(p − 1): exponent"
        checks.append(close(claim, THEORY, p - 1, slope, 0.02))
    return checks


def _unit_vectors(twelve: Occupied) -> list[Check]:
    """The counterexample: inputs e_1 … e_6, targets 1, p = 3."""
    a, w = initial_parameters(2 * WIDTH, 6, 0, antisymmetric=False)
    end = escape(axes(6), "x2_tanh", a, w)
    cloud = features(Parameters(end.a, end.w))
    claim = "unit vectors with y = 1 in d = 6, p = 3 (2p = 6):"
    numbers = {
        "directions predicted": twelve.predicted,
        f"directions of {2 * WIDTH} neurons at their blow-up": condensed_directions(cloud).count,
        "directions that a trained network occupies": twelve.directions,
    }
    return [
        close(f"{claim} {words}", "counterexample (derived)", 12, number, 0)
        for words, number in numbers.items()
    ]


def _ordinary(stage: Stage) -> list[Check]:
    """Ordinary data with more than 2p directions: Gaussian sets, n = 12, d = 4, p = 3."""
    sets = [gaussian(12, 4, seed, bias=False) for seed in range(DRAWS[stage.size])]
    counts = [
        predicted_directions(data, multiplicity=3, neurons=0, restarts=200).count for data in sets
    ]
    share = float(np.mean(np.array(counts) > 6))
    error = math.sqrt(share * (1 - share) / len(sets))
    claim = "n = 12 Gaussian samples in d = 4, p = 3: share of sets with more than 6 directions"
    more = next(seed for seed, count in enumerate(counts) if count > 6)
    network = occupied(sets[more], "x2_tanh", 0)
    return [
        close(claim, "counterexample (derived)", SHARE_ABOVE, share, 2 * SHARE_ERROR, error),
        at_least(
            "one of these: predicted directions that a trained network occupies",
            "counterexample (derived)",
            7,
            network.hits,
        ),
    ]


def _sines(stage: Stage) -> list[Check]:
    """Zhou's data in five dimensions: how many directions there are depends on the draw."""
    checks = []
    for frequency, expected in {5.0: "2, 4, 4, 6", 2.0: "2, 4, 2, 6"}.items():
        claim = f"sums of five sines of frequency {frequency:g}: some draw has, for p = 1, 2, 3, 4,"
        draws = range(SINES[stage.size])
        stage.progress(f"bound: sines of frequency {frequency:g}")
        found = in_parallel(partial(_counts, frequency), draws)
        if not found:
            checks.append(untested(claim, THEORY, expected))
            continue
        seen = expected if expected in found else "no such draw"
        checks.append(same(f"{claim} directions ({len(found)} draws)", THEORY, expected, seen))
    return checks


def _counts(frequency: float, seed: int) -> str:
    data, orders = sines(frequency=frequency, seed=seed), range(1, 5)
    counts = (predicted_directions(data, multiplicity=p, neurons=0).count for p in orders)
    return ", ".join(map(str, counts))
