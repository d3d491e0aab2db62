"""Functions of standard normal variables: Hermite coefficients, norms, and exact kernels."""

from netphase.hermite.duals import Dual, DualMap, PowerSeries
from netphase.hermite.expansion import TERMS, erf, expand, polynomial, relu
from netphase.hermite.monomials import Monomials, multiplicity_roots
from netphase.hermite.multi_index import (
    MultiIndexLike,
    MultiIndexTarget,
    multi_index,
    staircase,
)
from netphase.hermite.polynomials import polynomials, relu_coefficients
from netphase.hermite.series import HermiteSeries
from netphase.hermite.sources import load

__all__ = [
    "TERMS",
    "Dual",
    "DualMap",
    "HermiteSeries",
    "Monomials",
    "MultiIndexLike",
    "MultiIndexTarget",
    "PowerSeries",
    "erf",
    "expand",
    "load",
    "multi_index",
    "multiplicity_roots",
    "polynomial",
    "polynomials",
    "relu",
    "relu_coefficients",
    "staircase",
]
