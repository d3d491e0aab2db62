"""Fig. 5 and Fig. 8: output weights in time at three widths; learning curves beside the twin's."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from netphase import targets
from netphase._types import Array
from netphase.dynamics import Descent, RandomFeatureDynamics
from netphase.engine.problem import Stop
from netphase.observables import effective_number, function_distance
from netphase.reproductions.check import Check, at_least, at_most, close, every, untested
from netphase.reproductions.ma2020 import printed
from netphase.reproductions.ma2020.neuron_figures import Curves, learning_curves, weights_in_time
from netphase.reproductions.ma2020.samples import (
    METHOD,
    RATE_STEP,
    STAGNATION,
    Trained,
    curves,
    spaced,
    train,
)
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel, typical

SEEDS = {"smoke": 3, "small": 10, "paper": 30}
CURVE_SEEDS = {"smoke": 6, "small": 20, "paper": 40}
"""Of Fig. 5 and of the narrow network of Fig. 8."""

RATE = 5e-3
"""Rate of Fig. 5, which is not stated: that of the notebooks on samples."""

ENDS = tuple(RATE_STEP * RATE * last for last in printed.EMPIRICAL_ENDS)
"""Fig. 5, times at which the panels end."""

PANELS = (
    *(round(ratio * 200 / 21) for ratio in printed.EMPIRICAL_RATIOS),
    round(printed.EMPIRICAL_LAST * 200),
)
"""Fig. 5, widths, with n = 200 and d = 20, which are not stated."""

WINNER = 0.5
"""A neuron with a contribution above this has won."""

FOUND, SPARSE_LOSS, LATER_LOSS = 0.95, 1e-5, 1e-8
"""Fig. 8: contribution of a winner, training error at which the first run ends, and a smaller one,
by which a rival that was only slow to die is dead."""

FLAT_AT = 1000
"""Fig. 8: iteration from which the random features of the first panel are flat."""

NARROW_TEST = (0.13, 0.23)
"""Fig. 8, first panel, d = 19: test error of the random features, measured over seeds beforehand;
the printed run has 0.135."""


def run_weights(stage: Stage) -> list[Check]:
    """Fig. 5: a_j(t) of networks below, between and near the lines.

    Inputs: single neuron, n = 200, d = 20, m = 19, 76 and 160, to t = 400, 2000 and 2000, the times
    of the printed iterations at rate 5e-3; n, d and the rate are not stated.
    """
    target, seeds = targets.single_neuron(printed.SWEEP_INPUTS), range(SEEDS[stage.size])
    stage.progress("figure5: three widths")

    def one(case: tuple[int, int]) -> Trained:
        panel, seed = case
        stop = Stop(mean_square=0.0, time=ENDS[panel])
        times = spaced(0.3, ENDS[panel], 60)
        return train(target, printed.SAMPLES, PANELS[panel], seed, stop=stop, times=times)

    cases = [(panel, seed) for panel in range(3) for seed in seeds]
    runs = in_parallel(one, cases)
    table = [[r for (k, _), r in zip(cases, runs, strict=True) if k == panel] for panel in range(3)]
    shown = [table[0][0], _slow_winner(table[1]), table[2][0]]
    panels = {
        f"m = {width}": (each.trajectory.time[: len(each.trajectory.snapshots)], _weights(each))
        for width, each in zip(PANELS, shown, strict=True)
    }
    stage.save(weights_in_time(panels), "figure5")
    return _three_widths(table)


def _three_widths(table: list[list[Trained]]) -> list[Check]:
    """A winner, a winner with rivals in some runs, none."""
    first, second, third = table
    won = [sum(_largest(each) > WINNER for each in row) for row in table]
    winners = [float(_weights(each)[-1].max()) for each in first if _largest(each) > FOUND]
    middle, error = typical(winners) if winners else (math.nan, math.nan)
    quick = float(np.median([_time_of(each, WINNER) for each in first]))
    slow = [_time_of(each, WINNER) for each in second if _largest(each) > WINNER]
    late = float(np.median(slow)) if slow else math.inf
    largest, scatter = average([float(np.abs(_weights(each)[-1]).max()) for each in third])
    share = [_weights(each) for each in third]
    half = int(np.searchsorted(third[0].trajectory.time, ENDS[2] / 2))
    moved = max(float(np.abs(a[-1] - a[half]).max()) for a in share)
    return [
        every(f"m = {PANELS[0]}: one neuron wins, p > 0.5", "Fig. 5", won[0], len(first)),
        close(
            f"m = {PANELS[0]}: output weight of a winner with p > 0.95, median of {len(winners)}",
            "Fig. 5 (derived)",
            printed.WINNER_A,
            middle,
            0.01,
            error,
        ),
        *_rivals(won[1], len(second), late, quick),
        every(f"m = {PANELS[2]}: no neuron wins", "Fig. 5", len(third) - won[2], len(third)),
        at_most(
            f"m = {PANELS[2]}: largest |a_j|, mean (printed: {printed.EMPIRICAL_WINNERS[2]:g})",
            "Fig. 5",
            2 * printed.EMPIRICAL_WINNERS[2],
            largest,
            scatter,
        ),
        at_most(
            f"m = {PANELS[2]}: largest |Δa_j| in the second half of the time (frozen)",
            "Fig. 5",
            0.02,
            moved,
        ),
    ]


def _rivals(won: int, seeds: int, late: float, quick: float) -> list[Check]:
    """Between the lines: a winner in some runs, and a late one."""
    claim = f"m = {PANELS[1]}: seeds with a winner, p > 0.5, of {seeds} (the printed run has one)"
    if not won and seeds < SEEDS["small"]:
        return [untested(claim, "Fig. 5", "≥ 1", measured=0.0)]
    checks = [at_least(claim, "Fig. 5", 1.0, float(won))]
    claim = f"m = {PANELS[1]}: median time of p = 0.5 of these, over that at m = {PANELS[0]}"
    if not won:
        return [*checks, untested(claim, "Fig. 5", "≥ 1")]
    return [*checks, at_least(f"{claim} ({quick:.3g})", "Fig. 5", 1.0, late / quick)]


def _slow_winner(runs: list[Trained]) -> Trained:
    """The run whose winner is the smallest, as it has a rival; the largest where none has won."""
    won = [each for each in runs if _largest(each) > WINNER]
    return min(won, key=_largest) if won else max(runs, key=_largest)


def _weights(trained: Trained) -> Array:
    """Output weights at the recorded times, shape (t, m)."""
    return np.array([each.a for each in trained.trajectory.snapshots])


def _largest(trained: Trained) -> float:
    return float(trained.contributions(trained.final).max())


def _time_of(trained: Trained, level: float) -> float:
    """When the largest contribution first exceeds a level; infinite if never."""
    for time, state in zip(trained.trajectory.time, trained.trajectory.snapshots, strict=False):
        if trained.contributions(state).max() > level:
            return float(time)
    return math.inf


def run_curves(stage: Stage) -> list[Check]:
    """Fig. 8: a network that leaves its twin, and one that never does.

    Inputs: n = 200; m = 30, d = 19 to training error 1e-5; m = 2000, d = 20, 22 400 literal
    steps at rate 1e-3 (a smoke run follows the flow to the same time).
    """
    stage.progress("figure8: m = 30")
    seeds = range(CURVE_SEEDS[stage.size])
    sparse = in_parallel(partial(_narrow, SPARSE_LOSS), seeds)
    later = in_parallel(partial(_narrow, LATER_LOSS), seeds)
    best = max(sparse, key=_largest)
    stage.progress("figure8: m = 2000")
    wide = _wide(stage.size != "smoke")
    left, right = curves(best, RATE), curves(wide, printed.CURVE_RATE)
    stage.save(learning_curves({"m = 30, d = 19": left, "m = 2000, d = 20": right}), "figure8")
    return [*_sparse_claims(sparse, later), *_lazy_claims(wide, right, stage.size != "smoke")]


def _narrow(loss: float, seed: int) -> Trained:
    width, d = printed.CURVE_WIDTHS[0], printed.CURVE_INPUTS[0]
    stop = Stop(mean_square=loss, stagnation=STAGNATION)
    times = spaced(0.1, 3e4, 50)
    target = targets.single_neuron(d)
    return train(target, printed.SAMPLES, width, seed, stop=stop, times=times)


def _wide(literal: bool) -> Trained:
    width, d, steps = printed.CURVE_WIDTHS[1], printed.CURVE_INPUTS[1], printed.CURVE_ENDS[1]
    step = RATE_STEP * printed.CURVE_RATE
    method = Descent(step) if literal else METHOD
    times = step * np.round(spaced(10, steps, 24))
    stop = Stop(mean_square=0.0, time=float(times[-1]))
    target = targets.single_neuron(d)
    return train(target, printed.SAMPLES, width, 0, method=method, stop=stop, times=times)


def _sparse_claims(runs: list[Trained], later: list[Trained]) -> list[Check]:
    """Fig. 8, first panel: one neuron in at least half of the seeds; the features stay."""
    done = [each for each in runs if each.converged]
    winners = [each for each in done if _largest(each) > FOUND]
    twin, error = average([each.test_error(each.twin) for each in runs])
    low, high = NARROW_TEST
    last = [each for each in later if _largest(each) > FOUND]
    weight, spread = typical([float(each.final.a.max()) for each in last] or [math.nan])
    tests = [math.log10(each.test_error(each.final)) for each in winners] or [math.nan]
    test, test_error = typical(tests)
    return [
        every("m = 30: runs that reach training error 1e-5", "Fig. 8", len(done), len(runs)),
        *(_share(each, loss) for each, loss in ((runs, SPARSE_LOSS), (later, LATER_LOSS))),
        close(
            "m = 30: output weight of the winner at training error 1e-8, median",
            "Fig. 8",
            printed.WINNER_A,
            weight,
            0.01,
            spread,
        ),
        close(
            "m = 30: log₁₀ of the test error where there is a winner, median",
            "Fig. 8",
            math.log10(printed.SPARSE_TEST),
            test,
            0.5,
            test_error,
        ),
        close(
            "m = 30: test error of the random features (one printed run: "
            f"{printed.SPARSE_FEATURES_TEST:g})",
            "Fig. 8",
            (low + high) / 2,
            twin,
            (high - low) / 2,
            error,
        ),
        at_most(
            f"m = 30: test error of the features at iteration {FLAT_AT} over that at the end, − 1",
            "Fig. 8",
            0.15,
            *average([abs(_still(each)) for each in runs]),
        ),
    ]


def _share(runs: list[Trained], loss: float) -> Check:
    """In how many seeds one neuron carries the function."""
    won = [_largest(each) > FOUND for each in runs]
    share = sum(won) / len(won)
    error = math.sqrt(max(share * (1.0 - share), 0.25 / len(won)) / len(won))
    claim = f"m = 30: share of {len(won)} seeds with a winner, p > 0.95, at training error {loss:g}"
    return at_least(claim, "Fig. 8", 0.5, share, error)


def _still(trained: Trained) -> float:
    """How much the test error of the random features still falls after `FLAT_AT` iterations."""
    twin = RandomFeatureDynamics(trained.network, trained.data).model(trained.trajectory.initial)
    early = trained.test_error(twin.parameters(RATE_STEP * RATE * FLAT_AT))
    return early / trained.test_error(trained.twin) - 1.0


def _lazy_claims(trained: Trained, both: Curves, literal: bool) -> list[Check]:
    """Fig. 8, second panel: network and twin are one."""
    run, step = trained.trajectory, RATE_STEP * printed.CURVE_RATE
    model = RandomFeatureDynamics(trained.network, trained.data).model(run.initial)
    last = model.descent(printed.CURVE_ENDS[1], step) if literal else model.parameters(run.time[-1])
    apart = function_distance(trained.network, trained.final, last, "gaussian")
    p, q = trained.contributions(trained.final), trained.contributions(last)
    move = float(np.linalg.norm(trained.final.w - run.initial.w, axis=1).max())
    how = f"{run.steps} literal steps at rate 1e-3" if literal else "flow to the same time"
    claim = f"m = 2000, {how}: log₁₀ of the training error"
    reached = math.log10(run.mean_square[-1])
    test = math.log10(both.test[-1])
    checks = [
        close(claim, "Fig. 8", math.log10(printed.LAZY_TRAIN), reached, 0.4),
        close(
            "m = 2000: log₁₀ of the test error", "Fig. 8", math.log10(printed.LAZY_TEST), test, 0.2
        ),
        at_most("m = 2000: largest |w_j − w_j(0)|", "Fig. 8 (not printed)", 0.01, move),
        at_most(
            "m = 2000: E(f − f_twin)² over E f*²",
            "Fig. 8",
            1e-3,
            apart / trained.target.square(),
        ),
        at_most(
            "m = 2000: largest |p_j − p_j of the twin| over the largest |p_j|",
            "Fig. 8",
            0.1,
            float(np.abs(p - q).max() / np.abs(p).max()),
        ),
        at_most(
            "m = 2000: largest |p_j|", "Fig. 8", printed.LAZY_LARGEST * 1.5, float(np.abs(p).max())
        ),
        at_least(
            "m = 2000: N₂ over m", "Fig. 8 (derived)", 0.4, float(effective_number(p, 2)) / len(p)
        ),
    ]
    if not literal:
        checks[0] = untested(claim, "Fig. 8", math.log10(printed.LAZY_TRAIN), 0.4, reached)
    return checks
