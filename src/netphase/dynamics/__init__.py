"""Training equations, methods that advance them, and the one entry point `evolve`."""

from netphase.dynamics.comparators import LinearizedDynamics
from netphase.dynamics.evolution import evolve
from netphase.dynamics.gradient import GradientDynamics
from netphase.dynamics.methods import Adam, Descent, Flow, Method
from netphase.dynamics.trajectory import Trajectory

__all__ = [
    "Adam",
    "Descent",
    "Flow",
    "GradientDynamics",
    "LinearizedDynamics",
    "Method",
    "Trajectory",
    "evolve",
]
