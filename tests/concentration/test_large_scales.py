"""Errors of kernels do not depend on how large kernels are."""

import numpy as np

from netphase.concentration import kernel_concentration
from netphase.scalings import layer_initialisation


def test_errors_of_huge_and_of_tiny_kernels_are_those_of_kernels_of_order_one():
    law, names = layer_initialisation("ntk", depth=2, d=2), ("tangent_error", "layer_error")
    found = [
        kernel_concentration(
            "four_points", law.rescaled(alpha=alpha), widths=(16, 32), seeds=(0, 1)
        )
        for alpha in (0.0, 60.0, -60.0)  # of which squares of entries leave the range of a float
    ]
    for name in names:
        assert np.all(found[0][name] > 0.01)
        for other in found[1:]:
            np.testing.assert_allclose(other[name], found[0][name], rtol=1e-9)
