"""Kernels of finite networks against their limits: concentration, spectra, decay, degeneracy."""

from netphase.concentration.degeneracy import kernel_degeneracy
from netphase.concentration.running import WIDTHS, kernel_concentration
from netphase.concentration.verdict import CRITERION, ConcentrationVerdict, judge_concentration

__all__ = [
    "CRITERION",
    "WIDTHS",
    "ConcentrationVerdict",
    "judge_concentration",
    "kernel_concentration",
    "kernel_degeneracy",
]
