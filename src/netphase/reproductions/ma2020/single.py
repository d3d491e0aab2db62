"""Figs 1 and 2: one neuron learnt from infinitely many inputs, and what each neuron does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase import targets
from netphase._types import Array
from netphase.observables import angles_between
from netphase.reproductions.check import Check, at_least, at_most, close, every, untested
from netphase.reproductions.ma2020 import drawing, printed
from netphase.reproductions.ma2020.students import (
    Range,
    at,
    first_below,
    one_more,
    spaced,
    student,
)
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.results import markers_of

if TYPE_CHECKING:
    import xarray as xr

SEEDS = {"smoke": 2, "small": 6, "paper": 12}
LAST = {"smoke": 20_000, "small": 40_000, "paper": 100_000}
"""Last iteration: beyond that of the figure, so that slow seeds come to their end too."""

LITERAL, SAME = 2000, 0.03
"""Iterations of the literal descent that is held against the flow, and how near they should be; a
step is 0.4 of the limit of stability."""

TENS = 30
"""Iterations for which network and twin coincide, at least ("tens of iterations")."""

EARLY = 10
"""An iteration at which they cannot be told apart."""

DIES, PEAK, RELAXES = 0.1, 0.05, 0.1
"""Share of its largest contribution that a runner-up keeps at most, how large that is at least,
and share of their largest contribution that negative neurons keep at most."""

TILTED = (10.0, 90.0)
"""Degrees by which the quenched neuron that turns most turns."""

SPREAD, SPARSE = 20.0, 1.5
"""N₄ at the departure at least, and in the end at most."""

FIRST, SECOND = "Fig. 1 (slide 25)", "Fig. 2 (slide 26)"


def run(stage: Stage) -> list[Check]:
    """Train a network of 200 neurons in 100 dimensions from several seeds.

    Inputs: f* = relu(x₁), m = 200, d = 100, a = 0 and unit rows of w at the start, the rate 2e-3
    of the published code. Runs follow the flow; a literal descent is held against it.
    """
    iterations = np.union1d(
        spaced(LAST[stage.size]), [*printed.NETWORK_LOSS, *printed.FEATURES_LOSS]
    )
    target = targets.single_neuron(printed.INPUTS)

    def train(seed: int) -> xr.Dataset:
        return student(target, printed.WIDTH, seed, printed.CODE_RATE, iterations)

    runs = in_parallel(train, range(SEEDS[stage.size]))
    stage.save(drawing.losses(runs), "figure1")
    stage.save(drawing.neurons(runs[0]), "figure2")
    return [
        *_losses(runs, stage.size),
        *_course(runs, stage.size),
        *_winner(runs, stage.size),
        *_others(runs),
        *_phases(runs),
        *_literal(stage, runs[0]),
    ]


def _losses(runs: list[xr.Dataset], size: str) -> list[Check]:
    """Digitised losses against the range of one more seed."""
    tables = (
        ("network", "test_error", printed.NETWORK_LOSS),
        ("random features", "twin_test_error", printed.FEATURES_LOSS),
    )
    checks = []
    for words, name, table in tables:
        claim = f"loss of the {words} where digitised, in the 95 % range of one more run"
        if size == "smoke":
            checks.append(untested(claim, FIRST, f"{len(table)} of {len(table)}"))
            continue
        where = np.array(list(table), dtype=np.float64)
        found = np.log(printed.CODE_LOSS * np.array([at(run, name, where) for run in runs]))
        inside = [
            one_more(column).holds(math.log(value))
            for column, value in zip(found.T, table.values(), strict=True)
        ]
        checks.append(every(claim, FIRST, sum(inside), len(inside)))
    floors = printed.CODE_LOSS * np.array([float(run["twin_limit"]) for run in runs])
    ends = np.log10([first_below(run, printed.END_LOSS) for run in runs])
    for claim, expected, values in (
        ("floor of the random features", printed.FEATURES_FLOOR, floors),
        ("log₁₀ of the iteration at loss 1e-5", math.log10(printed.NETWORK_END), ends),
    ):
        words = f"{claim} (± 95 % range of one more run)"
        if size == "smoke":
            checks.append(untested(words, FIRST, expected))
        else:
            checks.append(_inside(words, FIRST, expected, one_more(values)))
    return checks


def _inside(claim: str, where: str, expected: float, found: Range) -> Check:
    return close(claim, where, expected, found.mean, found.half, found.error)


def _course(runs: list[xr.Dataset], size: str) -> list[Check]:
    """Network and twin coincide at first; then a shoulder, a fast drop and a slow tail."""
    apart = [
        float(np.abs(np.log(at(run, "test_error", early) / at(run, "twin_test_error", early))[0]))
        for run in runs
        for early in [np.array([EARLY])]
    ]
    left = [_marker(run, "departure") for run in runs]
    slow = "seeds with a tail that falls at most half as fast as the drop (a rival lives on)"
    shapes = [shape_of(run) for run in runs]
    tails = sum(2 * shape.tail <= shape.drop for shape in shapes)
    return [
        at_most(
            f"|log(loss of the network / of random features)| at iteration {EARLY}, largest "
            "(printed: 0.05)",
            FIRST,
            0.01,
            max(apart),
        ),
        at_least(
            "iterations until the network is 1 % of E f*² from its random features, fewest "
            "(coincide for tens)",
            FIRST,
            TENS,
            min(left),
        ),
        every(
            "seeds with a shoulder, then a drop at least twice as fast",
            FIRST,
            sum(2 * shape.shoulder <= shape.drop for shape in shapes),
            len(shapes),
        ),
        untested(slow, FIRST, "all") if size == "smoke" else every(slow, FIRST, tails, len(shapes)),
    ]


class Shape(NamedTuple):
    """How fast a loss falls, −d log(loss)/d iteration, until the figure ends.

    Attributes:
        shoulder: its minimum before the drop.
        drop: where it is largest in units of its minimum until then.
        tail: where the figure ends.
    """

    shoulder: float
    drop: float
    tail: float


def shape_of(run: xr.Dataset) -> Shape:
    """The shoulder, the drop and the tail of a loss.

    Args:
        run: what `student` returned.

    Returns:
        Rates of fall; shoulder and drop are one where the rate never rises.
    """
    clock, loss = run["iteration"].values, printed.CODE_LOSS * run["test_error"].values
    shown = loss > printed.END_LOSS
    rate = -np.diff(np.log(loss[shown])) / np.diff(clock[shown])
    least = np.minimum.accumulate(rate)
    top = int((rate / least).argmax())
    return Shape(float(least[top]), float(rate[top]), float(rate[-1]))


def _winner(runs: list[xr.Dataset], size: str) -> list[Check]:
    """One neuron takes it all, at the weights of the balance law."""
    where = np.array([max(printed.WINNER)])
    wins, a, w = 0, [], []
    for run in runs:
        winner = int(run["p"].values[-1].argmax())
        wins += bool(np.interp(where, run["iteration"], run["p"][:, winner])[0] > 0.95)
        a.append(float(run["a"].values[-1, winner]))
        w.append(float(np.linalg.norm(run["w"].values[-1, winner])))
    largest = max(
        float(np.abs((run["w"] ** 2).sum("input") - run["a"] ** 2 - 1).max()) for run in runs
    )
    course = _course_of_winner(runs)
    checks = [
        every("seeds whose winner has p > 0.95 by iteration 19 000", SECOND, wins, len(runs)),
        close("a of the winner", SECOND, printed.WINNER_A, average(a)[0], 0.01, average(a)[1]),
        close("|w| of the winner", SECOND, printed.WINNER_W, average(w)[0], 0.01, average(w)[1]),
        at_most("balance law: largest | |w|² − a² − 1 |", "balance law (derived)", 1e-3, largest),
    ]
    claim = "p of the winner at iterations 1000, 5000 and 19 000, in the 95 % range of one more run"
    if size == "smoke":
        return [*checks, untested(claim, SECOND, "3 of 3")]
    inside = [
        one_more(column).holds(value)
        for column, value in zip(course.T, printed.WINNER.values(), strict=True)
    ]
    return [*checks, every(claim, SECOND, sum(inside), len(inside))]


def _course_of_winner(runs: list[xr.Dataset]) -> Array:
    """Largest contribution at the digitised iterations, shape (seeds, iterations)."""
    where = np.array(list(printed.WINNER), dtype=np.float64)
    return np.array([
        np.interp(where, run["iteration"], run["p"].max("neuron")) for run in runs
    ])  # fmt: skip


def _others(runs: list[xr.Dataset]) -> list[Check]:
    """The runner-up rises and dies, negative neurons relax, and the bulk does not turn."""
    dies = relaxes = 0
    turns, most, peaks = [], [], []
    for run in runs:
        p = run["p"].values
        order = np.argsort(p.max(axis=0))
        second = p[:, order[-2]]
        peaks.append(second.max())
        dies += bool(second.max() >= PEAK and abs(second[-1]) <= DIES * second.max())
        relaxes += bool(-p[-1].min() <= RELAXES * -p.min())
        turned = np.degrees(angles_between(run["w"].values[0], run["w"].values[-1]))
        quenched = np.arange(len(turned)) != int(p[-1].argmax())
        turns.append(float(np.median(turned[quenched])))
        most.append(float(turned[quenched].max()))
    tilted = sum(TILTED[0] <= turn <= TILTED[1] for turn in most)
    return [
        every(
            f"seeds whose runner-up rises (to {min(peaks):.2f} … {max(peaks):.2f}; printed "
            f"{printed.RUNNER_UP:g}) and dies",
            SECOND,
            dies,
            len(runs),
        ),
        every("seeds whose negative neurons relax to 0", SECOND, relaxes, len(runs)),
        close(
            "median rotation of the quenched neurons, degrees",
            SECOND,
            printed.QUENCHED_TURN,
            average(turns)[0],
            0.7,
            average(turns)[1],
        ),
        every(
            f"seeds whose most turned quenched neuron turns by tens of degrees ({min(most):.0f} … "
            f"{max(most):.0f})",
            SECOND,
            tilted,
            len(runs),
        ),
    ]


def _phases(runs: list[xr.Dataset]) -> list[Check]:
    """Claims C1 and C3: two phases, and an end as sparse as the target."""
    phased = sum(has_two_phases(run) for run in runs)
    costs = [float(run["path_norm"][-1]) / run.attrs["variation_norm"] for run in runs]
    return [
        every(
            "seeds with two phases: spread over more than 20 neurons (N₄) at the departure, one "
            "neuron at the end, activated after the departure",
            "claim 1",
            phased,
            len(runs),
        ),
        at_most(
            "sparse bias: path norm over the target's variation norm in the end, largest",
            "claim 3",
            1.02,
            max(costs),
        ),
    ]


def has_two_phases(run: xr.Dataset) -> bool:
    """Whether a run departs from random features while spread, and activates one neuron later.

    Args:
        run: what `student` returned.

    Returns:
        Whether it does.
    """
    markers = markers_of(run)
    departure, activation = markers["departure"], markers["activation"]
    if not (departure.reached and activation.reached):
        return False
    spread = np.interp(departure.time, run["time"].values[1:], run["effective_number_4"].values[1:])
    ordered = departure.time < activation.time
    return bool(ordered and spread >= SPREAD and run["effective_number_4"].values[-1] <= SPARSE)


def _literal(stage: Stage, flow: xr.Dataset) -> list[Check]:
    """The literal descent against the flow that stands for it."""
    claim = f"largest relative difference of the loss, literal descent and flow, to it. {LITERAL}"
    if stage.size == "smoke":
        return [untested(claim, FIRST, f"≤ {SAME:g}")]
    where = spaced(LITERAL, first=EARLY)
    literal = student(
        targets.single_neuron(printed.INPUTS),
        printed.WIDTH,
        0,
        printed.CODE_RATE,
        where,
        literal=True,
    )
    gap = np.abs(at(literal, "test_error", where) / at(flow, "test_error", where) - 1)
    return [at_most(claim, FIRST, SAME, float(gap.max()))]


def _marker(run: xr.Dataset, name: str) -> float:
    """A phase marker in iterations; infinite if it is not reached."""
    marker = markers_of(run)[name]
    per_time = float(run["iteration"].values[-1] / run["time"].values[-1])
    return marker.time * per_time if marker.reached else math.inf
