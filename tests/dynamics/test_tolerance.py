"""What the tolerance of the automatic descent does to exponents over the plane."""

import numpy as np
import pytest

from netphase.dynamics import Descent
from netphase.experiment import Experiment, measure
from netphase.scalings import ScalingLaw

WIDTHS = (500, 1000, 2000, 4000)


def exponent(gamma, gamma_prime, tolerance):
    changes = [
        measure(
            Experiment(
                law=ScalingLaw.from_gamma(gamma, gamma_prime),
                width=width,
                method=Descent(tolerance=tolerance),
            )
        )["relative_change_w"]
        for width in WIDTHS
    ]
    return np.polyfit(np.log(WIDTHS), np.log(changes), 1)[0]


@pytest.mark.slow
def test_exponents_hardly_depend_on_the_tolerance():
    cells = [(g, p) for g in (0.6, 0.9, 1.0, 1.1, 1.2, 1.4) for p in (-0.4, -0.2, 0.0, 0.2, 0.4)]
    shifts = [abs(exponent(*cell, 0.01) - exponent(*cell, 0.001)) for cell in cells]
    assert max(shifts) < 0.02  # one neuron in another place at one width makes the largest
    assert np.median(shifts) < 1e-3
