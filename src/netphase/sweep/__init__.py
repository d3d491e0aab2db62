"""Sweeps: grids of runs and how they are run and resumed; and the grid that needs no run."""

from netphase.sweep.exact import WIDTHS as EXACT_WIDTHS
from netphase.sweep.exact import exact_plane
from netphase.sweep.grid import Sweep
from netphase.sweep.layer_run import LayerRun, measure_layers
from netphase.sweep.layers import LayerSweep, default_layer_sweep, run_layer_sweep
from netphase.sweep.progress import Progress
from netphase.sweep.running import run_sweep
from netphase.sweep.sizes import SizeSweep, run_size_sweep
from netphase.sweep.student import Student, measure_student, random_feature_twin

__all__ = [
    "EXACT_WIDTHS",
    "LayerRun",
    "LayerSweep",
    "Progress",
    "SizeSweep",
    "Student",
    "Sweep",
    "default_layer_sweep",
    "exact_plane",
    "measure_layers",
    "measure_student",
    "random_feature_twin",
    "run_layer_sweep",
    "run_size_sweep",
    "run_sweep",
]
