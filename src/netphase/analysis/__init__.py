"""From finished runs to numbers with errors: exponents in the width, boundaries, regimes."""

from netphase.analysis.boundary import PhaseBoundary, phase_boundary, whole_row_zero
from netphase.analysis.local_zero import LocalZero, local_zero
from netphase.analysis.plane import analyse_plane, boundary_of
from netphase.analysis.power_law import PowerLawFit, fit_power_law
from netphase.analysis.verdict import CRITERION, ZONE_CRITERION, RegimeVerdict, judge, judge_zone

__all__ = [
    "CRITERION",
    "ZONE_CRITERION",
    "LocalZero",
    "PhaseBoundary",
    "PowerLawFit",
    "RegimeVerdict",
    "analyse_plane",
    "boundary_of",
    "fit_power_law",
    "judge",
    "judge_zone",
    "local_zero",
    "phase_boundary",
    "whole_row_zero",
]
