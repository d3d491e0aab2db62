"""Layers that move and that the Frobenius norm takes for lazy."""

import pytest

from netphase.analysis import frobenius_mislabels, layer_exponents
from netphase.scalings import LayerScaling, predicted_layers


def test_a_hidden_layer_is_mislabelled_while_its_exponent_is_between_zero_and_a_half(layer_results):
    base, grid = LayerScaling(g=(0.0, 0.5, 0.5)), (0.75, 1.0, 1.25, 1.5)
    results = layer_results(axes=("g2", "g3"), x=grid, y=(0.5, 1.0), base=base, noise=0.001)
    wrong = frobenius_mislabels(layer_exponents(results))
    marked = 0
    for g3 in (0.5, 1.0):
        for g2 in grid:
            for each in predicted_layers(LayerScaling(g=(0.0, g2, g3))):
                found = bool(wrong.sel(g2=g2, g3=g3, layer=each.layer))
                # a Frobenius exponent within the margin around zero is no mislabel
                assert found == (each.operator > -1e-9 and each.frobenius < -0.1 - 1e-9), (g2, g3)
                marked += found
    assert marked >= 3


def test_input_and_output_layers_have_one_exponent_in_both_norms(layer_results):
    wrong = frobenius_mislabels(layer_exponents(layer_results(noise=0.001)))
    assert not wrong.sel(layer=[1, 3]).any()
    assert wrong.sel(layer=2).any()


def test_what_did_not_converge_is_not_judged(layer_results):
    everywhere = {
        (x, y, 512): "diverged" for x in (0.9, 1.2, 1.5, 1.8, 2.1) for y in (0.2, 0.5, 0.8)
    }
    assert not frobenius_mislabels(layer_exponents(layer_results(spoilt=everywhere))).any()


def test_noise_keeps_a_cell_from_being_called_wrong(layer_results):
    noisy = layer_exponents(layer_results(noise=1.0))
    assert int(frobenius_mislabels(noisy).sum()) < int(
        frobenius_mislabels(layer_exponents(layer_results(noise=0.001))).sum()
    )


@pytest.mark.parametrize("depth", [1, 3])
def test_any_depth_is_taken(layer_results, depth):
    results = layer_results(depth=depth, axes=("gamma", f"g{depth + 1}"))
    assert frobenius_mislabels(layer_exponents(results)).sizes["layer"] == depth + 1
