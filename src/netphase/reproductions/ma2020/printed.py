"""Numbers of Ma, Wu & E (arXiv 2006.14450), each with its place and how it is known.

The text of the paper could not be had. "digitised" numbers were read off figures that the authors
show elsewhere (curves to about 1 % of an axis, colours of heat maps to ±0.15); "found" ones stand
in their published code or slides; "derived" ones follow from the others. Figures are numbered here
by subject. ``None`` in a table of widths: not read.
"""

from __future__ import annotations

import math

# --- Fig. 1: population dynamics of a single neuron, network and random features ---------------

WIDTH, INPUTS = 200, 100
"""Figs 1 and 2, m and d: found (200 neurons are drawn; the caption has them exchanged)."""

CODE_RATE = 2e-3
"""Fig. 1, learning rate of the published code, on 2π E e²: derived from the random features."""

CODE_LOSS = 2 * math.pi
"""Plotted "loss" over E e²: found (their kernel lacks its 1/2π)."""

NETWORK_LOSS = {
    10: 1.751,
    42: 1.195,
    75: 0.974,
    111: 0.862,
    200: 0.750,
    366: 0.673,
    1093: 0.457,
    1451: 0.351,
    1906: 0.217,
    2400: 0.0988,
    3036: 0.0296,
    4073: 6.9e-3,
    5110: 2.7e-3,
    8537: 4.4e-4,
    12128: 1.1e-4,
}
"""Fig. 1, iteration → loss of the network: digitised."""

FEATURES_LOSS = {
    10: 1.842,
    41: 1.370,
    73: 1.180,
    108: 1.084,
    147: 1.030,
    193: 0.996,
    251: 0.973,
    333: 0.958,
    799: 0.946,
}
"""Fig. 1, iteration → loss of the random features: digitised."""

FEATURES_FLOOR = 0.945
"""Fig. 1, plateau of the random features: digitised."""

NETWORK_END, END_LOSS = 19097, 1e-5
"""Fig. 1, iteration at which the loss is 1e-5: digitised; the loss found."""

# --- Fig. 2: contributions of its neurons -----------------------------------------------------

WINNER = {1000: 0.2, 5000: 0.85, 19000: 0.99}
"""Fig. 2, iteration → contribution p of the winner: digitised."""

RUNNER_UP = 0.27
"""Fig. 2, largest contribution of the runner-up: digitised."""

WINNER_A, WINNER_W = 0.786, 1.272
"""|a| and |w| of a neuron with p = 1: derived, a² = (√5 − 1)/2 and |w|² − a² = 1."""

QUENCHED_TURN = 1.4
"""Fig. 2, median rotation of the other neurons in degrees: not printed, measured beforehand."""

# --- Fig. 3: finitely many neurons ------------------------------------------------------------

FINITE_WIDTH, FINITE_UNITS, MANY_UNITS = 50, 5, 40
MANY_END = 10_000_000
MANY_QUENCHED = (10, 12)
"""Fig. 3, m, M of both panels; on the right, iterations (digitised) and quenched neurons."""

NOTEBOOK_WIDTH, NOTEBOOK_INPUTS, NOTEBOOK_RATE, NOTEBOOK_LOSS = 20, 19, 1e-2, 5e-6
NOTEBOOK_END = 30_000
"""Notebooks with finitely many neurons and the linear target: found."""

# --- Fig. 4: widths at n = 200, d = 20 ----------------------------------------------------------

SAMPLES, SWEEP_INPUTS, SWEEP_LOSS = 200, 20, 1e-8
"""Fig. 4: n and training loss (found at second hand), d (derived)."""

WIDTHS = (
    *(2, 3, 4, 6, 9, 12, 17, 25, 35, 51, 72, 90, 110, 147, 180, 190, 200, 210, 220, 300, 427),
    *(480, 490, 500, 510, 520, 530, 608, 867, 1236, 1761, 2511, 4000),
)
"""Fig. 4, widths: digitised, exact."""

TABLE_WIDTHS = (2, 4, 6, 9, 17, 25, 51, 72, 90, 147, 180, 200, 220, 500, 1236, 4000)
"""Widths of the rows below."""

SINGLE_ERROR = (
    *(-6.95, -7.22, -6.48, -6.21, -6.02, -5.97, -3.06, -2.00, -1.66, -1.23, -1.20, -1.18),
    *(-1.18, -1.21, -1.30, -1.36),
)
SINGLE_FEATURES = (
    *(-0.38, -0.44, -0.47, -0.54, -0.59, -0.69, -0.83, -0.82, -0.83, -0.68, -0.33, 1.20),
    *(-0.37, -1.14, -1.30, -1.36),
)
SINGLE_NORM = (
    *(1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 2.05, 3.83, 5.19, 8.42, 9.36, 9.95),
    *(10.27, 12.11, 11.47, 10.72),
)
CIRCLE_ERROR = (
    *(-1.20, -3.24, -3.25, -3.10, -2.39, -1.92, -1.61, -1.47, -1.47, -1.44, -1.44, -1.44),
    *(-1.43, -1.60, -1.73, -1.77),
)
CIRCLE_FEATURES = (
    *(-0.92, -1.02, -1.10, -1.17, -1.26, -1.29, -1.31, -1.29, -1.24, -1.08, -0.73, -0.01),
    *(-0.72, -1.56, -1.72, -1.77),
)
CIRCLE_NORM = (
    *(0.83, 1.00, 1.02, 1.09, 1.66, 2.42, 3.81, 4.92, 5.44, 6.97, 7.64, 7.99),
    *(8.19, 8.07, 7.14, 6.68),
)
"""Fig. 4, log₁₀ of the test error of network and random features, path norm: digitised means."""

PEAK_WIDTH = 200
SINGLE_PEAK, CIRCLE_PEAK, PEAK_TOLERANCE = 1.445, 1.06, 0.05
"""Random features at m = n: mean of log₁₀ of the test error over 400 seeds, not printed, measured
beforehand. The digitised values there are the mean of a heavy tail over an unknown number of seeds
and are no target."""

SINGLE_SCATTER = {35: 1.85, 51: 1.1, 72: 0.8, 90: 0.6, 110: 0.3, 180: 0.07}
"""Fig. 4, width → standard deviation of the network's log₁₀ error, single neuron: digitised."""

# --- Fig. 5: neurons of three widths ----------------------------------------------------------

EMPIRICAL_RATIOS = (2.0, 8.0)
"""Fig. 5, m in units of n/(d + 1) of the first two panels: found; the third has m = 0.8 n."""

EMPIRICAL_LAST = 0.8
EMPIRICAL_ENDS = (40_000, 200_000, 200_000)
EMPIRICAL_WINNERS = (0.78, 0.75, 0.21)
"""Fig. 5, last iteration and largest output weight of each panel: digitised."""

# --- Fig. 6: maps of width and samples --------------------------------------------------------

MAP_LOSS = 1e-7
MAP_SAMPLES = (60, 100, 200, 300, 480)
CONVENTIONAL_WIDTHS = (3, 8, 12, 20, 35, 50, 80, 120, 200, 600, 2400)
CONVENTIONAL_MAP = (
    (-1.9, -1.2, -1.0, -0.9, -0.7, -0.7, -0.7, -0.7, -0.7, -0.9, -0.9),
    (-3.3, -2.6, -2.1, -1.5, -1.0, -0.9, -0.9, -0.9, -0.9, -0.9, -1.0),
    (-4.4, -4.2, -4.2, -4.2, -2.9, -2.1, -1.5, -1.2, -1.2, -1.2, -1.2),
    (-5.0, -4.8, -4.8, -4.5, -4.2, -4.1, -3.0, -1.8, -1.3, -1.3, -1.5),
    (-5.4, -5.3, -5.3, -5.1, -4.7, -4.5, -4.4, -3.5, -2.1, -1.5, -1.6),
)
MEAN_FIELD_WIDTHS = (3, 8, 20, 50, 120, 350, 2400)
MEAN_FIELD_MAP = (
    (-2.3, -1.9, -1.8, -1.8, -1.7, -1.7, -1.7),
    (-3.0, -3.0, -2.8, -2.6, -2.6, -2.5, -2.5),
    (-4.0, -3.8, -3.7, -3.6, -3.4, -3.4, -3.4),
    (-4.4, -4.2, -4.1, -4.1, -4.0, -3.8, -3.8),
    (-5.0, -4.7, -4.7, -4.7, -4.6, -4.5, -4.4),
)
"""Fig. 6, log₁₀ of the test error, a row a number of samples: digitised colours, ±0.15. Their axis
of widths is that of m(d + 1): derived from the dashed lines."""

# --- Fig. 7: mean-field scaling ---------------------------------------------------------------

MEAN_FIELD_WIDTH, MEAN_FIELD_INPUTS, MEAN_FIELD_TIME = 50, 100, 35_000
"""Fig. 7, left and middle, m, d and the last iteration: found."""

SPREAD, QUIET_SHARE = (0.0, 2.0), 1 / 3
"""Fig. 7, left, range of m p_j, and the part of the neurons near zero: digitised."""

ALIGNED = (0.4, 1.0)
"""Fig. 7, middle, range of the cosines with (1, 0, …) of most neurons: digitised."""

CONTRAST_WIDTHS = (2, 3, 5, 10, 20, 40, 80, 100, 200, 400, 800, 1600, 3200, 6400)
CONTRAST_MEAN_FIELD = (
    *(-1.23, -2.84, -3.20, -3.33, -3.27, -3.17, -3.15, -3.08, -3.11, -3.09),
    *(-3.07, -3.10, -3.10, -3.13),
)
CONTRAST_CONVENTIONAL = (
    *(-1.24, -2.90, -3.20, -2.96, -2.23, -1.89, -1.85, -1.88, -2.02, -2.15),
    *(-2.21, -2.23, -2.23, -2.25),
)
CONTRAST_SAMPLES, CONTRAST_INPUTS = 100, 10
"""Fig. 7, right, log₁₀ of the test error against m: digitised; circle, n and d: derived."""

# --- Fig. 8: learning curves ------------------------------------------------------------------

CURVE_WIDTHS, CURVE_INPUTS, CURVE_RATE = (30, 2000), (19, 20), 1e-3
CURVE_ENDS = (27_000, 22_400)
"""Fig. 8, n = 200: widths, inputs, last iterations (found, digitised), rate (second hand)."""

SPARSE_TEST, SPARSE_FEATURES_TEST = 3e-5, 0.135
LAZY_TRAIN, LAZY_TEST, LAZY_LARGEST = 1e-6, 0.04, 0.045
"""Fig. 8, ends of the curves and largest contributions: digitised."""

# --- Fig. 9: films ----------------------------------------------------------------------------

FILM_WIDTH, FILM_INPUTS = 100, 100
FILM_ACTIVE = {10_000: 3, 600_000: 5, 3_990_000: 6}
"""Fig. 9, circle: m and d (found), iteration → activated neurons (digitised)."""

FILM_LINEAR = 0.95
"""Fig. 9, linear target, m = 200, d = 100: |p| of both neurons: digitised."""

PLATEAUS = {3: 3.569e-4, 5: 4.470e-5, 6: 2.143e-5}
"""Circle, number of equal lines → E e²: derived, exact."""

# --- Figs 10 and 11: linear target, optimisers ------------------------------------------------

LINEAR_END, LINEAR_ACTIVE = 12_000, 6
LINEAR_TEST, LINEAR_WIDE_TEST = 1.8e-3, 1.25e-2
LINEAR_SAMPLES, LINEAR_WIDE = 300, 300
"""Fig. 10, d = 19: iterations and active neurons of the population, test errors at n = 300 with
m = 20 and m = 300, n, and the larger m: found."""

OPTIMISER_WIDTH, OPTIMISER_SAMPLES = 30, 600
DESCENT_END, ADAM_RATE, ADAM_END = 5900, 5e-3, 650
ADAM_ACTIVE, ADAM_LARGEST = 12, 0.19
"""Fig. 11: m and n; iterations of descent, rate and iterations of Adam, and the neurons that it
leaves active, with the largest contribution: found."""
