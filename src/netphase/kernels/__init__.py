"""Kernels of infinitely wide and of finite networks, and what they predict without training."""

from netphase.kernels.gaussian import GaussianKernels, gaussian_kernels
from netphase.kernels.initial_stage import half_way, linear_plateau
from netphase.kernels.leading_order import leading_plateau, stage_end
from netphase.kernels.predictions import (
    RelativeChanges,
    condensed_lower_bound,
    condensed_prediction,
    least_amplitude,
    linear_decay_rate,
    linear_predictions,
    loss_bound,
)
from netphase.kernels.tangent import LinearModel, tangent_gram

__all__ = [
    "GaussianKernels",
    "LinearModel",
    "RelativeChanges",
    "condensed_lower_bound",
    "condensed_prediction",
    "gaussian_kernels",
    "half_way",
    "leading_plateau",
    "least_amplitude",
    "linear_decay_rate",
    "linear_plateau",
    "linear_predictions",
    "loss_bound",
    "stage_end",
    "tangent_gram",
]
