"""What is run for Berthier, Montanari & Zhou (arXiv 2303.00055), and numbers to hold it against.

The text of the paper could not be had. Its equations and exponents are known from notes on it;
"derived" numbers were worked out and computed anew, by other means than this program. Figures are
numbered here by subject, and their settings are ours.
"""

from __future__ import annotations

from netphase.reproductions.reproduction import Size

SIGMA = (1.0, 1.0, 1.0, 1.0)
PHI = (1.0, -1.0, 2 / 3, -1 / 3)
"""σ_k and φ_k of the base case: every coefficient counts, up to degree 3."""

ATOMS = (-1.5, -0.5, 0.4, 1.7)
"""P_A of the base case: four equal atoms, enough for the power law of degree 3."""

THREE_ATOMS = (-1.0, 0.2, 1.3)
"""One atom too few for degree 3."""

DEGREES = (0, 1, 2, 3)

STAIRCASE: dict[Size, tuple[float, ...]] = {
    "smoke": (1e-4, 1e-8, 1e-12),
    "small": tuple(10.0**-k for k in range(4, 14)),
    "paper": tuple(10.0 ** (-k / 2) for k in range(8, 27)),
}
"""ε of the staircases."""

TABLE = {
    1e-4: (6.67821e-5, 2.71454e-2, 8.53123e-2, 1.40933e-1),
    1e-8: (6.67829e-9, 5.13072e-4, 1.99864e-2, 1.32334e-1),
    1e-12: (6.67829e-13, 7.43700e-6, 2.04983e-3, 3.84074e-2),
}
"""ε → t_0 … t_3, last times of |ρ_l| ≥ |φ_l|/2: derived, t_1 to 4e-5, the others to 1e-5."""

PLATEAUS = (7 / 9, 5 / 18, 1 / 18)
"""½ Σ_{k>l} φ_k² behind degrees 0, 1 and 2: exact."""
