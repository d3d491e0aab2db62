"""Learning time-scales in two-layer neural networks: Berthier, Montanari & Zhou (2023)."""

from __future__ import annotations

from netphase.reproductions.berthier2023 import (
    collapse,
    committee,
    failures,
    finite_width,
    inputs,
    invariants,
    leaps,
    missing,
    multi_index,
    noise,
    sgd,
    staircase,
    times,
    verdicts,
)
from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "The text of the paper could not be had, nor the settings of its figures. Equations and "
    "exponents are taken from notes on it; figures are numbered here by subject, and their "
    "settings are ours. What was derived anew is marked so; its reference numbers were computed "
    "by other means than this program.",
    "Base case: σ_k = 1 for k ≤ 3, φ = 1 − h_1 + 2/3 h_2 − 1/3 h_3, P_A = four equal atoms "
    "{−1.5, −0.5, 0.4, 1.7}, mean field with d = ∞. Times are last half-level crossings.",
    "Fig. 1: the windows of degrees 2 and 3 (90 % to 10 % of the residual) are apart from ε = 1e-9 "
    "on; a plateau of a quarter of a decade within 6 % of its height lies between them only from "
    "about 1e-12 on, as the next stage tilts it.",
    "Fig. 3: exponents are fitted over ε from 1e-9 to 1e-13. Above, t_3 is not monotone in ε. "
    "Degree 3 has no constant c_3: atoms of the stage before form groups that are closer at "
    "smaller ε.",
    "Fig. 4: degree 3 comes together only from ε = 1e-10 on, and slowly.",
    "Fig. 6: densities are 4000 quantiles; times and shares at small ε depend on their number, for "
    "the extreme ones run ahead. For ±1 the risk at t = 5 is 4.802e-4, the infimum over two "
    "groups of neurons, plus a rest ∝ √ε: no more can be learnt. For a constant "
    "P_A it ends at the least risk of one neuron, 0.0299.",
    "Fig. 7: the times, unlike the exponents, depend on φ and P_A. Exponents after degree 2 come "
    "with corrections of order ε^(1/12) and are claimed within 0.05.",
    "Fig. 8: P_A is uniform, at its quantiles. The 1/m law is claimed from m = 4 ε^(−1/2) log(1/ε) "
    "on, for ε = 1e-3 at size paper only. For m = 40 and ε ≤ 1e-3 the mean field's R(0.05) is "
    "0.56 or less, not 0.60, which belongs to ε near 3e-3.",
    "Fig. 9: mean field with overlaps N(0, 1/d) and 2000 neurons (smoke 1000, paper 4000); the "
    "reference run at ε = 1e-6, d = 1e5 lies 1 % above the mean over 20 seeds, the scatter of a "
    "run of 1000 neurons.",
    "Fig. 10: P_A is Gaussian. Printed distances are of one run each and are held against the "
    "range of ours. √η is claimed from ηd = 0.04 down; at 0.16 the noise shifts the mean too. "
    "Samples are counted for the base case at ηd = 0.01: with σ = ReLU(z + ½) and 30 neurons the "
    "flow itself stops at half of degree 2, and at ηd = 0.04 rare large samples undo what was "
    "learnt.",
    "Fig. 10, noise: m, σ and φ are not stated; σ = φ = erf(z/√2), m = 10, ε = 1 give the factor 2 "
    "at t = 4. The factor depends on them: 1.2 to 12 were seen.",
    "Section 7.2: starts have the sign of the target; for odd k the others never escape. The power "
    "k − 1 of a fast second layer is shown for k = 2.",
    "Fig. 12: the third step needs more than four atoms; eight are taken.",
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
    Part((10,), "Fig. 10: one-pass SGD", sgd.run),
    Part((10,), "Fig. 10: the noise of large steps", noise.run),
    Part((12,), "Fig. 12: several directions", multi_index.run),
    Part((), "Verdicts", verdicts.run),
    Part((), "Invariants", invariants.run),
    Part((), "Escape times of one neuron", leaps.run),
    Part((), "Soft committees", committee.run),
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
