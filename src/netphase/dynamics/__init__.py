"""Training equations, methods that advance them, and the one entry point `evolve`."""

from netphase.dynamics.committee import Committee, CommitteeOverlaps, CommitteeTrajectory
from netphase.dynamics.comparators import LinearizedDynamics
from netphase.dynamics.constrained_flow import (
    blow_up_time,
    constrained_times,
    constrained_velocity,
    degree_two_constant,
)
from netphase.dynamics.deep import DeepGradientDynamics
from netphase.dynamics.deep_linear import DeepLinearizedDynamics, DeepLinearModel
from netphase.dynamics.early_degrees import (
    degree_one_residual,
    degree_one_time,
    degree_zero_time,
)
from netphase.dynamics.evolution import evolve
from netphase.dynamics.exact_overlaps import (
    ExactOverlaps,
    Overlaps,
    OverlapTrajectory,
    gram_floor,
)
from netphase.dynamics.gradient import GradientDynamics
from netphase.dynamics.learning_order import (
    Basis,
    DegreePrediction,
    LearningPrediction,
    predict_learning,
)
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
from netphase.dynamics.methods import Adam, Descent, Flow, Method, StochasticDescent
from netphase.dynamics.multi_index_order import predict_multi_index
from netphase.dynamics.multi_index_overlaps import MultiIndexOverlaps, MultiIndexSolution
from netphase.dynamics.noisy_overlaps import NoisyOverlaps, NoisyTrajectory
from netphase.dynamics.output_law import (
    OUTPUT_LAWS,
    OutputAtoms,
    law_quantiles,
    output_atoms,
    probabilities,
)
from netphase.dynamics.overlaps import MeanFieldOverlaps, OverlapSolution
from netphase.dynamics.population import PopulationDynamics
from netphase.dynamics.projected_sgd import ProjectedSGD
from netphase.dynamics.random_feature_limit import RandomFeatureLimit
from netphase.dynamics.random_features import RandomFeatureDynamics, RandomFeatureModel
from netphase.dynamics.sgd_ensemble import SGDEnsemble
from netphase.dynamics.stages import (
    StageExponents,
    plateau_risks,
    stage_exponents,
    time_exponent,
)
from netphase.dynamics.trajectory import Trajectory
from netphase.engine.deep import DeepTrajectory

__all__ = [
    "OUTPUT_LAWS",
    "Adam",
    "Basis",
    "BreakdownTime",
    "Committee",
    "CommitteeOverlaps",
    "CommitteeTrajectory",
    "DeepGradientDynamics",
    "DeepLinearModel",
    "DeepLinearizedDynamics",
    "DeepTrajectory",
    "DegreePrediction",
    "Descent",
    "ExactOverlaps",
    "Flow",
    "GradientDynamics",
    "LearningPrediction",
    "LinearizedDynamics",
    "MacroscopicDynamics",
    "MacroscopicLimit",
    "MacroscopicPlane",
    "MeanFieldOverlaps",
    "Method",
    "MultiIndexOverlaps",
    "MultiIndexSolution",
    "NoisyOverlaps",
    "NoisyTrajectory",
    "OutputAtoms",
    "OverlapSolution",
    "OverlapTrajectory",
    "Overlaps",
    "PopulationDynamics",
    "ProjectedSGD",
    "RandomFeatureDynamics",
    "RandomFeatureLimit",
    "RandomFeatureModel",
    "SGDEnsemble",
    "StageExponents",
    "StochasticDescent",
    "Trajectory",
    "WindowLaw",
    "blow_up_time",
    "breakdown_time",
    "constrained_times",
    "constrained_velocity",
    "degree_one_residual",
    "degree_one_time",
    "degree_two_constant",
    "degree_zero_time",
    "evolve",
    "gram_floor",
    "law_quantiles",
    "macroscopic_limit",
    "macroscopic_plane",
    "output_atoms",
    "plateau_risks",
    "predict_learning",
    "predict_multi_index",
    "probabilities",
    "stage_exponents",
    "time_exponent",
    "window_law",
]
