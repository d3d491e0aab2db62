"""From finished runs to numbers with errors: exponents, boundaries, regimes, fronts."""

from netphase.analysis.boundary import PhaseBoundary, phase_boundary, whole_row_zero
from netphase.analysis.front import FRONT, Front, measured_front
from netphase.analysis.layer_agreement import LayerAgreement, layer_agreement
from netphase.analysis.layer_boundary import LayerBoundary, layer_boundary
from netphase.analysis.layer_norms import MISLABEL, frobenius_mislabels
from netphase.analysis.layers import layer_exponents
from netphase.analysis.local_zero import LocalZero, local_zero
from netphase.analysis.plane import analyse_plane, boundary_of
from netphase.analysis.power_law import PowerLawFit, fit_power_law
from netphase.analysis.sizes import ErrorSlopes, endings, error_slopes, log_errors, twin_ridge
from netphase.analysis.time_scales import TimeScaleFit, fit_time_scale
from netphase.analysis.verdict import (
    CRITERION,
    LAYER_CRITERION,
    ZONE_CRITERION,
    RegimeVerdict,
    judge,
    judge_layers,
    judge_zone,
)

__all__ = [
    "CRITERION",
    "FRONT",
    "LAYER_CRITERION",
    "MISLABEL",
    "ZONE_CRITERION",
    "ErrorSlopes",
    "Front",
    "LayerAgreement",
    "LayerBoundary",
    "LocalZero",
    "PhaseBoundary",
    "PowerLawFit",
    "RegimeVerdict",
    "TimeScaleFit",
    "analyse_plane",
    "boundary_of",
    "endings",
    "error_slopes",
    "fit_power_law",
    "fit_time_scale",
    "frobenius_mislabels",
    "judge",
    "judge_layers",
    "judge_zone",
    "layer_agreement",
    "layer_boundary",
    "layer_exponents",
    "local_zero",
    "log_errors",
    "measured_front",
    "phase_boundary",
    "twin_ridge",
    "whole_row_zero",
]
