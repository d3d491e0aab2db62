"""Section 7.4: equations of the soft committee beside literal online descent in N inputs."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase._types import Array
from netphase.dynamics import Committee, CommitteeOverlaps
from netphase.figures import new_figure, panel_label
from netphase.figures.style import INK, PAGE, SERIES, style, tidy
from netphase.observables import last_crossing
from netphase.reproductions.berthier2023.sgd_figures import band
from netphase.reproductions.check import Check, at_least, close
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import average, in_parallel, typical
from netphase.seeds import Stream, generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "section 7.4"
UNITS, LENGTH = 2, 0.5
"""Units of student and teacher, and |J_i| of the start."""

ENDS = {0.5: 250.0, 1.5: 150.0}
"""η → the last α = steps/N."""

PLATEAU = {0.5: 20.0, 1.5: 10.0}
"""η → α on the plateau."""

INPUTS: dict[Size, int] = {"smoke": 60, "small": 300, "paper": 1000}
SEEDS: dict[Size, int] = {"smoke": 12, "small": 32, "paper": 64}
ROWS = 100

FINITE = 4.0
"""Plateaus of N inputs may be off by this over N, relative."""

FLOW_PLATEAU = UNITS / math.pi * (math.pi / 6 - UNITS * math.asin(1 / (2 * UNITS)))
"""ε_g of the symmetric plateau for η → 0, K = M: all units have one overlap with all of the
teacher's."""


class Runs(NamedTuple):
    """Risks of all seeds at the same α, shape (seed, k).

    Attributes:
        times: α, shape (k,).
        runs: of literal descent.
        equations: of the equations from the same starts.
        flow: of the equations without the term of η².
    """

    times: Array
    runs: Array
    equations: Array
    flow: Array


def run(stage: Stage) -> list[Check]:
    """Plateau and escape, of N inputs and of the equations."""
    inputs, seeds = INPUTS[stage.size], SEEDS[stage.size]
    table = {}
    for rate in ENDS:
        stage.progress(f"committee of {inputs} inputs at rate {rate:g}")
        table[rate] = _runs(rate, inputs, seeds)
    stage.save(_figure(table, inputs), "committee")
    return [check for rate, found in table.items() for check in _checks(rate, inputs, found)]


def descend(rate: float, inputs: int, seeds: int, times: Array) -> Array:
    """Risks of literal online descent, as it is written: J_i += (η/N) g′(z_i) e x.

    Args:
        rate: η.
        inputs: N.
        seeds: how many runs, each from the start of `CommitteeOverlaps.initial`.
        times: α of the records, increasing, shape (k,).

    Returns:
        ε_g, shape (seed, k).
    """
    from scipy.special import erf

    dynamics, b = CommitteeOverlaps(UNITS, rate=rate), np.eye(UNITS, inputs)
    j = np.array([_start(inputs, seed) for seed in range(seeds)])  # (s, K, N)
    draws, step, table = generator(0, Stream.DATA), 0, []
    for time in times:
        while step < round(time * inputs):
            x = draws.standard_normal((seeds, inputs))
            z = np.matmul(j, x[:, :, None])[:, :, 0]  # (s, K)
            taught, said = (erf(each * math.sqrt(0.5)).sum(axis=1) for each in (x[:, :UNITS], z))
            slope = math.sqrt(2 / math.pi) * np.exp(-z * z / 2)
            j += rate / inputs * (slope * (taught - said)[:, None])[:, :, None] * x[:, None, :]
            step += 1
        table.append([dynamics.risk(Committee.of_weights(each, b)) for each in j])
    return np.array(table).T


def _start(inputs: int, seed: int) -> Array:
    """The vectors whose overlaps `CommitteeOverlaps.initial` gives."""
    j = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((UNITS, inputs))
    return np.asarray(j * (LENGTH / np.linalg.norm(j, axis=1)[:, None]))


def _runs(rate: float, inputs: int, seeds: int) -> Runs:
    times = np.linspace(0.0, ENDS[rate], ROWS + 1)[1:]
    full, flow = (CommitteeOverlaps(UNITS, rate=rate, quadratic=kept) for kept in (True, False))
    starts = [full.initial(UNITS, inputs, LENGTH, seed=seed) for seed in range(seeds)]
    equations, without = (
        np.array(in_parallel(partial(_risk, each, times), starts)) for each in (full, flow)
    )
    return Runs(times, descend(rate, inputs, seeds, times), equations, without)


def _risk(dynamics: CommitteeOverlaps, times: Array, start: Committee) -> Array:
    return dynamics.solve(start, times).risk


def _checks(rate: float, inputs: int, found: Runs) -> list[Check]:
    row = int(np.argmin(np.abs(found.times - PLATEAU[rate])))
    plateau = found.runs[:, row] / found.equations[:, row]
    mean, flow = found.runs[:, row].mean(), found.flow[:, row].mean()
    height = float(np.median(found.equations[:, row]))
    escapes = [_escapes(found.times, table, height / 2) for table in (found.runs, found.equations)]
    ratio, ratio_error = typical(escapes[0] / escapes[1])
    where = f"η = {rate:g}, N = {inputs}"
    checks = [
        close(
            f"plateau at α = {found.times[row]:g} over the equations', {where}",
            WHERE,
            1.0,
            float(plateau.mean()),
            FINITE / inputs,
            average(plateau)[1],
        ),
        at_least(
            f"that plateau over the flow's ({where}), in s.e. above it",
            WHERE,
            5.0,
            (mean - flow) / average(found.runs[:, row] - found.flow[:, row])[1],
        ),
        close(
            f"escape, α over the equations', median, {where}", WHERE, 1.0, ratio, 0.1, ratio_error
        ),
    ]
    if rate == min(ENDS):
        heights = found.flow[:, row : 2 * row]
        claim = "plateau of the flow over (K/π)(π/6 − K asin(1/2K)), from α = 20 to 40"
        checks.append(close(claim, WHERE, 1.0, float(np.median(heights)) / FLOW_PLATEAU, 0.05))
    return checks


def _escapes(times: Array, table: Array, level: float) -> Array:
    """α at which each run is below a level for good; the last α where it never is."""
    found = np.array([last_crossing(times, risk, level).time for risk in table])
    return np.where(np.isnan(found), times[-1], found)


def _figure(table: dict[float, Runs], inputs: int) -> Figure:
    """Risks against α, a panel a rate: literal descent, the equations, the flow."""
    with style():
        figure = new_figure(PAGE, 2.7)
        row = figure.subplots(1, len(table), squeeze=False)[0]
        for axes, (rate, found), letter in zip(row, table.items(), "abc", strict=False):
            name = f"SGD, $N$ = {inputs}: mean, 80 % of runs"
            band(axes, found.times, found.runs, SERIES[0], name)
            for values, colour, dashes, name in (
                (found.equations, SERIES[1], "--", "equations, mean"),
                (found.flow, INK, ":", r"without the term of $\eta^2$"),
            ):
                axes.plot(found.times, values.mean(axis=0), color=colour, ls=dashes, label=name)
            axes.axhline(FLOW_PLATEAU, color=INK, lw=0.5, label=r"plateau for $\eta \to 0$")
            axes.set(xlabel=r"$\alpha$ = steps/$N$", title=rf"$\eta$ = {rate:g}", yscale="log",
                     ylim=(1e-4, None))  # fmt: skip
            panel_label(axes, f"({letter})")
            tidy(axes)
        row[0].set_ylabel(r"risk $\varepsilon_g$")
        row[0].legend(loc="lower left")
    return figure
