"""Sweeps: a grid of experiments, and how it is run and resumed."""

from netphase.sweep.grid import Sweep
from netphase.sweep.progress import Progress
from netphase.sweep.running import run_sweep

__all__ = ["Progress", "Sweep", "run_sweep"]
