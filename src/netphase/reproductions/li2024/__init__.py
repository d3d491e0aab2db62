"""Lazy training of multi-layer networks: Li, Luo & Zhou (2024), reconstructed."""

from __future__ import annotations

from netphase.reproductions.li2024 import decay, limits, slopes, table, three_layers
from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "The text of the paper could not be had; its abstract and summaries name κ, the θ-lazy area, "
    "the kernels K^[l] and the rate of decay. All statements are reconstructed from these, derived "
    "anew and checked by another program; 'reconstruction' with a number names them, as listed "
    "in `netphase.reproductions.li2024.setting`. Whether the paper has experiments is not known: "
    "figures are numbered here by subject, and all settings are ours.",
    "Data: four unit vectors with cosines 0.4, 0.2 and 0.1 in four dimensions, targets of root "
    "mean square 1/2. Every kernel is well conditioned on them and has a simple least eigenvalue. "
    "Networks are centred, f − f(0), which starts at exactly zero and does not double the kernel. "
    "Training is gradient descent at half the limit of stability to 1e-4 of the first loss. No "
    "claim that rests on a run which does not get there counts as reproduced.",
    "Fig. 1: tanh is left out where pre-activations grow with the width and below the boundary, "
    "where it saturates in training: theory is for pre-activations of order one or homogeneous "
    "activations. Exponents are fitted over the three largest widths. At sizes smoke and small "
    "three hidden layers end at m = 128 and 512.",
    "Fig. 2: rows are trained with ReLU, as some make pre-activations grow or vanish. A row with a "
    "free exponent stands for its family by one on either side of the boundary and, for equal "
    "standard deviations, one on it. The inputs' d is four. At three hidden layers the row of μP's "
    "weights with one rate misses its verdict: up to m = 1024 its output layer, which alone moves, "
    "still changes like m^0.07, and its error is small enough to see that. "
    "Changes of the first matrix are in units of β√m, not of its norm β(√m + √d).",
    "Fig. 3: steps are 0.2 n/λ_max (0.05 where κ shrinks), and their exact decay, "
    "−2 log(1 − ηλ_min/n)/η, is taken for 2λ_min/n. Rates are fitted between 1e-5 and 1e-10 of "
    "R(0). For κ = m^0.1, about two, corrections of order κ^(−2) exceed 10 % at all widths here, "
    "and the rate is not tested. That rates fail by 20 % where κ does not grow is our measure of "
    "failure. Three hidden layers with κ = 1 miss it: they are 3 to 7 % faster than predicted up "
    "to m = 512, though their kernels change by their own size.",
    "Fig. 4: the power of λ_min is extrapolated to ε = 0 from three ε.",
    "Fig. 5: after Zhou et al. (NeurIPS 2022), whose coordinates γ2 and γ3 could not be verified: "
    "the three matrices of weights have equal scale. Numbers measured before are of m = 50 to 400 "
    "and of other data.",
)

PARTS = (
    Part((1,), "Fig. 1: exponents of every layer", slopes.run),
    Part((2,), "Fig. 2: table of initialisations", table.run),
    Part((3,), "Fig. 3: decay of the loss", decay.run),
    Part((4,), "Fig. 4: kernels", limits.run),
    Part((5,), "Fig. 5: three layers of weights", three_layers.run),
)

REPRODUCTION = Reproduction(
    key="li2024",
    reference=(
        "Y. Li, T. Luo, Q. Zhou, Demystifying lazy training of neural networks from a macroscopic "
        "viewpoint (arXiv 2404.04859, 2024); three layers: H. Zhou et al., NeurIPS 2022 "
        "(arXiv 2205.12101)"
    ),
    parts=PARTS,
    departures=DEPARTURES,
)
"""What `netphase.reproductions.get("li2024")` returns."""
