"""Initial condensation of two-layer networks: Chen, Li, Luo, Zhou, Xu (2023), and its sources."""

from __future__ import annotations

from netphase.reproductions.chen2023 import (
    bound,
    counts,
    direction,
    macroscopic,
    plane,
    polynomials,
    residual,
    window,
)
from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "The full text of Chen et al. could not be had. Their statements are taken from the abstract "
    "and from the papers they build on, and the exponents, the macroscopic equations and the "
    "break-down time are derived anew and marked so. Figures are numbered here by subject.",
    "Figs 5 to 10 follow the figures of Zhou et al. (NeurIPS 2022, arXiv 2105.11686), with their "
    "inputs; their data and weights are one unpublished draw, ours are several fixed seeds.",
    "Figs 1 to 4: n = 6 unit vectors in d = 4 with a linear target, tanh, gradient flow by "
    "automatic descent, to half of the error that a linear fit can take away (Figs 1 to 3) or to "
    "T_δ. The start is antisymmetric, m neurons and their opposite, except for the slopes that are "
    "held against the law.",
    "Fig. 1: slopes at widths 1000 to 64 000 differ from the law of infinite width near the lines, "
    "by as much as the macroscopic equations at the same widths say.",
    "Figs 1 and 5: ρ → 1 holds for a residual that stands still. At half of the loss, and at T_δ "
    "with δ = 0.1, the drive has turned, and ρ ends where the macroscopic equations say: on 8 data "
    "sets of Zhou's kind the median |cos(w, z)| is 0.95 to 0.999 at std 5e-4 and δ = 0.1, and "
    "0.998 or more on all of them at std 5e-5 and δ = 0.03.",
    "Fig. 6 with Adam: lines are weighted by amplitude, 1/Σ share², where the source counts by "
    "eye. The plain number of lines at cosines above 0.95 is the printed one for tanh; it is 5 to "
    "7 in place of 2 and 3 for x tanh x and x² tanh x, 8 for softplus and 12 for ReLU. Adam's "
    "first steps are descent along the signs of the gradient, which has other directions than "
    "gradient flow.",
    "Fig. 6 with gradient flow: targets are small, so that |w·x| stays small, and for p > 1 "
    "neurons are rescaled to escape together; of a Gaussian start only the few that blow up first "
    "condense in the initial stage. For x² tanh x some neurons still linger at saddles.",
    "Fig. 7: that there are at most 2p directions is a theorem for p = 1, p = 2 and two input "
    "dimensions; for p = 3 it fails on ordinary data, too. The target sin(3x) + sin(6x)/2 does not "
    "reach 8 directions for p = 4 on any of our draws; a target made for it does.",
    "Fig. 9: how the network starts its first layer, which cannot have a residual connection, is "
    "not documented; here h₁ = σ₁(W₁x + b₁). In half of the draws layer 4 has not condensed at the "
    "printed epoch.",
    "Fig. 10: 1000 to 5000 digits in place of 60 000.",
)

REPRODUCTION = Reproduction(
    key="chen2023",
    reference=(
        "Z. Chen, Y. Li, T. Luo, Z. Zhou, Z.-Q. J. Xu, Phase diagram of initial condensation for "
        "two-layer neural networks, CSIAM Transactions on Applied Mathematics 5(3), 2024 "
        "(arXiv 2303.06561, 2023)"
    ),
    parts=(
        Part((1, 2), "Figs 1 and 2: phase diagram and alignment", plane.run),
        Part((3,), "Fig. 3: macroscopic equations", macroscopic.run),
        Part((4,), "Fig. 4: length of the initial stage", window.run),
        Part((5,), "Fig. 5: direction", direction.run),
        Part((6,), "Fig. 6: lines of six activations", counts.run),
        Part((7,), "Fig. 7: at most 2p directions", bound.run),
        Part((8,), "Fig. 8: polynomials and direction fields", polynomials.run),
        Part((9,), "Fig. 9: residual network", residual.run),
        Part((10,), "Fig. 10: digits", counts.run_digits, on_images=True),
    ),
    departures=DEPARTURES,
)
"""What `netphase.reproductions.get("chen2023")` returns."""
