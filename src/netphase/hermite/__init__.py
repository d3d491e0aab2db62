"""Functions of one standard normal variable: Hermite coefficients, norms, and exact kernels."""

from netphase.hermite.duals import Dual, DualMap, PowerSeries
from netphase.hermite.expansion import TERMS, erf, expand, polynomial, relu
from netphase.hermite.polynomials import polynomials, relu_coefficients
from netphase.hermite.series import HermiteSeries

__all__ = [
    "TERMS",
    "Dual",
    "DualMap",
    "HermiteSeries",
    "PowerSeries",
    "erf",
    "expand",
    "polynomial",
    "polynomials",
    "relu",
    "relu_coefficients",
]
