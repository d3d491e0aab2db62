"""Training equations, methods that advance them, and the one entry point `evolve`."""

from netphase.dynamics.comparators import LinearizedDynamics
from netphase.dynamics.evolution import evolve
from netphase.dynamics.exact_overlaps import (
    OUTPUT_LAWS,
    ExactOverlaps,
    Overlaps,
    OverlapTrajectory,
    gram_floor,
)
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
from netphase.dynamics.overlap_predictions import (
    StageExponents,
    blow_up_time,
    constrained_velocity,
    degree_one_residual,
    degree_one_time,
    degree_two_constant,
    degree_zero_time,
    plateau_risks,
    stage_exponents,
    time_exponent,
)
from netphase.dynamics.overlaps import MeanFieldOverlaps, OverlapSolution
from netphase.dynamics.population import PopulationDynamics
from netphase.dynamics.random_feature_limit import RandomFeatureLimit
from netphase.dynamics.random_features import RandomFeatureDynamics, RandomFeatureModel
from netphase.dynamics.trajectory import Trajectory

__all__ = [
    "OUTPUT_LAWS",
    "Adam",
    "BreakdownTime",
    "Descent",
    "ExactOverlaps",
    "Flow",
    "GradientDynamics",
    "LinearizedDynamics",
    "MacroscopicDynamics",
    "MacroscopicLimit",
    "MacroscopicPlane",
    "MeanFieldOverlaps",
    "Method",
    "OverlapSolution",
    "OverlapTrajectory",
    "Overlaps",
    "PopulationDynamics",
    "RandomFeatureDynamics",
    "RandomFeatureLimit",
    "RandomFeatureModel",
    "StageExponents",
    "Trajectory",
    "WindowLaw",
    "blow_up_time",
    "breakdown_time",
    "constrained_velocity",
    "degree_one_residual",
    "degree_one_time",
    "degree_two_constant",
    "degree_zero_time",
    "evolve",
    "gram_floor",
    "macroscopic_limit",
    "macroscopic_plane",
    "plateau_risks",
    "stage_exponents",
    "time_exponent",
    "window_law",
]
