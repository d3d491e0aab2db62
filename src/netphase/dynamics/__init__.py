"""Training equations, methods that advance them, and the one entry point `evolve`."""

from netphase.dynamics.comparators import LinearizedDynamics
from netphase.dynamics.evolution import evolve
from netphase.dynamics.gradient import GradientDynamics
from netphase.dynamics.macroscopic import (
    BreakdownTime,
    MacroscopicDynamics,
    MacroscopicLimit,
    MacroscopicPlane,
    WindowLaw,
    breakdown_time,
    macroscopic_limit,
    macroscopic_plane,
    window_law,
)
from netphase.dynamics.methods import Adam, Descent, Flow, Method
from netphase.dynamics.population import PopulationDynamics
from netphase.dynamics.random_feature_limit import RandomFeatureLimit
from netphase.dynamics.random_features import RandomFeatureDynamics, RandomFeatureModel
from netphase.dynamics.trajectory import Trajectory

__all__ = [
    "Adam",
    "BreakdownTime",
    "Descent",
    "Flow",
    "GradientDynamics",
    "LinearizedDynamics",
    "MacroscopicDynamics",
    "MacroscopicLimit",
    "MacroscopicPlane",
    "Method",
    "PopulationDynamics",
    "RandomFeatureDynamics",
    "RandomFeatureLimit",
    "RandomFeatureModel",
    "Trajectory",
    "WindowLaw",
    "breakdown_time",
    "evolve",
    "macroscopic_limit",
    "macroscopic_plane",
    "window_law",
]
