"""Deviations of measured exponents from the predicted ones, by hand and in their trend."""

import numpy as np
import pytest

from netphase.analysis import layer_agreement, layer_exponents
from netphase.errors import ArgumentError


def test_deviations_are_those_put_in(layer_results):
    exponents = layer_exponents(layer_results(noise=0.0))
    shift = np.zeros((3, 3, 5))
    shift[1, 2, 3] = -0.4  # layer 2 at the third g3 and the fourth gamma
    shift[0] = 0.1
    measured = exponents["operator"].transpose("layer", "g3", "gamma")
    exponents["operator"] = measured.copy(data=measured.values + shift)
    found = layer_agreement(exponents)
    assert (found.compared, found.near) == (45, 44)
    assert found.worst == pytest.approx(0.4)
    assert found.worst_at == (1.8, 0.8, 2)
    assert found.median == pytest.approx(0.0, abs=1e-9)
    assert layer_agreement(exponents, "frobenius").worst == pytest.approx(0.0, abs=1e-9)


def test_a_correction_that_dies_out_is_seen_in_the_local_exponents(layer_results):
    results = layer_results(noise=0.0)
    for k in (1, 2, 3):
        name = f"operator_change_{k}"
        results[name] = results[name] * (1.0 + 8.0 / results["width"])
    found = layer_agreement(layer_exponents(results))
    # the local exponent of 1 + c/m is −c/(m + c): .11 at m = 64, .015 at m = 512
    assert found.smallest_widths > 3 * found.largest_widths
    assert found.smallest_widths == pytest.approx(0.1, abs=0.03)


def test_cells_that_did_not_converge_do_not_count(layer_results):
    spoilt = layer_exponents(layer_results(spoilt={(0.9, 0.2, 64): "maximum steps"}))
    assert layer_agreement(spoilt).compared == 45 - 3


def test_nothing_is_known_where_nothing_converged(layer_results):
    spoilt = {(x, y, 64): "diverged" for x in (0.9, 1.2, 1.5, 1.8, 2.1) for y in (0.2, 0.5, 0.8)}
    found = layer_agreement(layer_exponents(layer_results(spoilt=spoilt)))
    assert (found.compared, found.near, found.worst_at) == (0, 0, None)
    assert np.isnan([found.median, found.worst, found.smallest_widths]).all()


def test_bad_input_is_refused(layer_results):
    exponents = layer_exponents(layer_results())
    with pytest.raises(ArgumentError, match="norm"):
        layer_agreement(exponents, "nuclear")
    with pytest.raises(ArgumentError, match="layer sweep"):
        layer_agreement(exponents.drop_attrs())
