"""Kernels of infinitely wide and of finite networks, and what they predict without training."""

from netphase.kernels.deep import DeepKernels, deep_kernels
from netphase.kernels.degeneracy import degeneracy_exponent, shrinking_eigenvalues
from netphase.kernels.erf_integrals import (
    erf_force,
    erf_forces,
    erf_gram,
    erf_noise,
    erf_pair,
    erf_quartic,
    erf_slopes,
)
from netphase.kernels.gaussian import GaussianKernels, gaussian_kernels
from netphase.kernels.initial_stage import half_way, linear_plateau
from netphase.kernels.layer_predictions import PredictedLayerChanges, predicted_layer_changes
from netphase.kernels.layer_tangent import TangentKernels, tangent_kernel
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
from netphase.kernels.relu_inputs import (
    INPUT_LAWS,
    input_power,
    relu_kernel,
    relu_kernel_gradient,
    sphere_kernel,
)
from netphase.kernels.tangent import LinearModel, tangent_gram

__all__ = [
    "INPUT_LAWS",
    "DeepKernels",
    "GaussianKernels",
    "LinearModel",
    "PredictedLayerChanges",
    "RelativeChanges",
    "TangentKernels",
    "condensed_lower_bound",
    "condensed_prediction",
    "deep_kernels",
    "degeneracy_exponent",
    "erf_force",
    "erf_forces",
    "erf_gram",
    "erf_noise",
    "erf_pair",
    "erf_quartic",
    "erf_slopes",
    "gaussian_kernels",
    "half_way",
    "input_power",
    "leading_plateau",
    "least_amplitude",
    "linear_decay_rate",
    "linear_plateau",
    "linear_predictions",
    "loss_bound",
    "predicted_layer_changes",
    "relu_kernel",
    "relu_kernel_gradient",
    "shrinking_eigenvalues",
    "sphere_kernel",
    "stage_end",
    "tangent_gram",
    "tangent_kernel",
]
