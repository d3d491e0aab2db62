"""Networks as maps, their parameters as points, and how those points are drawn."""

from netphase.networks.two_layer import (
    BLOCK,
    Parameters,
    TwoLayerNetwork,
    initial_parameters,
    student_parameters,
)

__all__ = [
    "BLOCK",
    "Parameters",
    "TwoLayerNetwork",
    "initial_parameters",
    "student_parameters",
]
