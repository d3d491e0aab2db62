"""Figs 1, 2 and 5: the staircase of the risk, its residuals, and how the neurons grow."""

from __future__ import annotations

import numpy as np

from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.flows import Flow, flow
from netphase.reproductions.check import Check, every
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import in_parallel

END = 3.0


def run(stage: Stage) -> list[Check]:
    """The base case from ε = 1e-4 to 1e-13.

    Inputs: σ_k = 1 for k ≤ 3, φ = (1, −1, 2/3, −1/3), four equal atoms; mean field, d = ∞.
    """
    stage.progress("staircases")
    flows = in_parallel(lambda epsilon: flow(epsilon, END), setting.STAIRCASE[stage.size])
    return _ordered(flows)


def _ordered(flows: list[Flow]) -> list[Check]:
    held = sum(bool(np.all(np.diff(each.times) > 0.0)) for each in flows)
    return [every("degrees 0 to 3 are learnt in their order", "conjecture", held, len(flows))]
