"""Sweeps: a grid of experiments and how it is run and resumed; and the grid that needs no run."""

from netphase.sweep.exact import WIDTHS as EXACT_WIDTHS
from netphase.sweep.exact import exact_plane
from netphase.sweep.grid import Sweep
from netphase.sweep.progress import Progress
from netphase.sweep.running import run_sweep

__all__ = ["EXACT_WIDTHS", "Progress", "Sweep", "exact_plane", "run_sweep"]
