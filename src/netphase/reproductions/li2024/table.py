"""Fig. 2: the table of initialisations, every row trained and judged from what was measured."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from netphase.analysis.verdict import judge_layers
from netphase.reproductions.check import Check, close, every, same
from netphase.reproductions.li2024 import setting
from netphase.reproductions.li2024.drawing import table_figure
from netphase.reproductions.li2024.setting import TABLE, Row
from netphase.reproductions.li2024.training import Case, Ladder, ladders
from netphase.reproductions.reproduction import Size, Stage
from netphase.scalings import laziness

WIDTHS: dict[Size, dict[int, tuple[int, ...]]] = {
    "smoke": {1: (512, 1024, 2048, 4096)},
    "small": {
        1: (512, 1024, 2048, 4096, 8192),
        2: (128, 256, 512, 1024),
        3: (128, 256, 512, 1024),
    },
    "paper": {
        1: (512, 1024, 2048, 4096, 8192, 16384),
        2: (128, 256, 512, 1024, 2048),
        3: (128, 256, 512, 1024, 2048),
    },
}
"""L → m, at least four."""

SEEDS: dict[Size, int] = {"smoke": 12, "small": 12, "paper": 24}

WITHIN = 0.15
"""Of the exponents of μP from theory."""

WHERE = "reconstruction 7"


class Found(NamedTuple):
    """A row of the table as trained.

    Attributes:
        row: of the table.
        ladder: its runs.
        verdict: from the exponents and their errors alone.
    """

    row: Row
    ladder: Ladder
    verdict: str


def run(stage: Stage) -> list[Check]:
    """ReLU networks, whose pre-activations may have any size, of every row."""
    found: list[Found] = []
    for depth, widths in WIDTHS[stage.size].items():
        stage.progress(f"table: L = {depth}")
        rows = [row for row in TABLE if depth in row.depths]
        cases = [Case(row.scaling(depth), "relu", setting.data()) for row in rows]
        for row, raw in zip(rows, ladders(cases, widths, SEEDS[stage.size]), strict=True):
            ladder = in_powers(raw)
            found.append(Found(row, ladder, judge_layers(ladder.fits(), ladder.converged)))
    stage.save(table_figure(found), "figure2")
    right = sum(each.verdict == each.row.verdict(each.ladder.scaling.depth) for each in found)
    checks = [check for each in found for check in _checks(each)]
    return [
        *checks,
        every("verdicts of all rows as in the table", WHERE, right, len(found)),
        *_one_rate(found),
    ]


def in_powers(ladder: Ladder) -> Ladder:
    """Changes of the first matrix in units of β√m, to which its norm β(√m + √d) tends.

    The norms of the other matrices at the start are powers of the width. That of the first adds
    0.05 to exponents between m = 128 and 1024, more than their errors.
    """
    factor = np.ones_like(ladder.operator)
    factor[..., 0] += np.sqrt(setting.INPUTS / ladder.widths)
    return dataclasses.replace(ladder, operator=ladder.operator * factor)


def _checks(found: Found) -> list[Check]:
    """The verdict, and the exponent of κ, which needs no training."""
    scaling, ladder = found.ladder.scaling, found.ladder
    depth, m = scaling.depth, int(ladder.widths[-1])
    finite = math.log(scaling.at_width(m).kappa) / math.log(m)
    exponents = ", ".join(
        f"{each.exponent:.2f} ± {each.standard_error:.2f}" for each in ladder.fits()
    )
    theory = ", ".join(f"{each:.3g}" for each in ladder.predicted())
    name = f"{found.row.name}, L = {depth}"
    return [
        same(
            f"{name}: verdict of operator exponents {exponents} for {theory}", WHERE,
            found.row.verdict(depth), found.verdict,
        ),
        close(
            f"{name}: lim log κ/log m, {laziness(scaling)} (at m = {m} it is {finite:.2f})", WHERE,
            found.row.kappa(depth), scaling.log_m_kappa, 1e-12,
        ),
    ]  # fmt: skip


def _one_rate(found: list[Found]) -> list[Check]:
    """With its own rates μP moves all layers, with one rate for all only the output layer."""
    checks = []
    for name, words in (
        (setting.plain("mup"), "every layer moves by O(1)"),
        (setting.plain("mup_one_rate"), "only the output layer moves"),
    ):
        for each in found:
            if each.row.name == name:
                theory = each.ladder.predicted()
                checks += [
                    close(
                        f"{name}, L = {each.ladder.scaling.depth}: {words}, exponent of layer {k}",
                        "reconstruction 2", expected, fit.exponent, WITHIN, fit.standard_error,
                    )
                    for k, (fit, expected) in enumerate(
                        zip(each.ladder.fits(), theory, strict=True), 1
                    )
                ]  # fmt: skip
    return checks
