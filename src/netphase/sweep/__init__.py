"""Sweeps: grids of runs and how they are run and resumed; and the grid that needs no run."""

from netphase.sweep.exact import WIDTHS as EXACT_WIDTHS
from netphase.sweep.exact import exact_plane
from netphase.sweep.grid import Sweep
from netphase.sweep.progress import Progress
from netphase.sweep.running import run_sweep
from netphase.sweep.sizes import SizeSweep, run_size_sweep
from netphase.sweep.student import Student, measure_student, random_feature_twin

__all__ = [
    "EXACT_WIDTHS",
    "Progress",
    "SizeSweep",
    "Student",
    "Sweep",
    "exact_plane",
    "measure_student",
    "random_feature_twin",
    "run_size_sweep",
    "run_sweep",
]
