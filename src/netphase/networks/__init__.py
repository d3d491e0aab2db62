"""Networks as maps, their parameters as points, and how those points are drawn."""

from netphase.networks.layer_parameters import LayerParameters
from netphase.networks.layer_start import initial_layer_parameters
from netphase.networks.multi_layer import MultiLayerNetwork, OutputKind
from netphase.networks.two_layer import (
    BLOCK,
    Parameters,
    TwoLayerNetwork,
    initial_parameters,
    student_parameters,
)

__all__ = [
    "BLOCK",
    "LayerParameters",
    "MultiLayerNetwork",
    "OutputKind",
    "Parameters",
    "TwoLayerNetwork",
    "initial_layer_parameters",
    "initial_parameters",
    "student_parameters",
]
