"""Learning time-scales in two-layer neural networks: Berthier, Montanari & Zhou (2023)."""

from __future__ import annotations

from netphase.reproductions.berthier2023 import (
    collapse,
    failures,
    finite_width,
    inputs,
    missing,
    multi_index,
    staircase,
    times,
)
from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "The text of the paper could not be had, nor the settings of its figures. Equations and "
    "exponents are taken from notes on it; figures are numbered here by subject, and their "
    "settings are ours. What was derived anew is marked so.",
)

PARTS = (
    Part((1, 2, 5), "Figs 1, 2 and 5: staircases", staircase.run),
    Part((3,), "Fig. 3: learning times", times.run),
    Part((4,), "Fig. 4: rescaled windows", collapse.run),
    Part((6,), "Fig. 6: laws of the output weights", failures.run),
    Part((7,), "Fig. 7: missing degrees", missing.run),
    Part((8, 11), "Figs 8 and 11: finite widths", finite_width.run_approach),
    Part((8,), "Fig. 8: when narrow networks learn degree 1", finite_width.run_delays),
    Part((9,), "Fig. 9: finitely many inputs", inputs.run),
    Part((12,), "Fig. 12: several directions", multi_index.run),
)

REPRODUCTION = Reproduction(
    key="berthier2023",
    reference=(
        "R. Berthier, A. Montanari, K. Zhou, Learning time-scales in two-layers neural networks, "
        "Foundations of Computational Mathematics, 2024 (arXiv 2303.00055, 2023)"
    ),
    parts=PARTS,
    departures=DEPARTURES,
)
"""What `netphase.reproductions.get("berthier2023")` returns."""
