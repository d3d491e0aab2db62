"""Kernels of finite networks: the power of the width, spectra, training, and what is refused."""

import json

import numpy as np
import pytest

from netphase import datasets
from netphase._types import Status
from netphase.analysis import fit_power_law
from netphase.concentration import judge_concentration, kernel_concentration, kernel_degeneracy
from netphase.concentration import running as module
from netphase.dynamics import Descent, Flow
from netphase.errors import ArgumentError
from netphase.results import STATUS_CODES
from netphase.scalings import LayerScaling, layer_initialisation

DATA = "sines?n=6&inputs=3&amplitude=0.5"


def ntk(depth=2):
    return layer_initialisation("ntk", depth, 4)


@pytest.mark.parametrize(("name", "depth"), [("relu", 1), ("relu", 2), ("tanh", 2), ("erf", 3)])
def test_errors_fall_as_the_root_of_the_width(name, depth):
    found = kernel_concentration(
        DATA, ntk(depth), activation=name, widths=(32, 64, 128, 256), seeds=range(16)
    )
    for what in ("tangent", "layer", "feature"):
        exponent, error = found[f"{what}_exponent"], found[f"{what}_exponent_error"]
        assert np.all(error < 0.1)
        assert np.all(abs(exponent + 0.5) < 3.5 * error), (what, exponent.values, error.values)
    assert found.attrs["verdict"] == "m^(-1/2)"


def test_the_spectrum_gives_the_rates():
    found = kernel_concentration(
        DATA, ntk(), activation="tanh", widths=(40, 80), seeds=(1, 3), kind="plain"
    )
    values = found["eigenvalue"]
    np.testing.assert_allclose(found["decay_rate"], values[..., 0] / 3)  # 2/n, n = 6
    np.testing.assert_allclose(found["stable_rate"], 12 / values[..., -1])
    np.testing.assert_allclose(found["share"].sum("layer"), 1.0)
    np.testing.assert_allclose(found["limit_share"].sum("layer"), 1.0)
    np.testing.assert_allclose(found["label_part"].sum("mode"), 1.0)
    both = kernel_concentration(DATA, ntk(), activation="tanh", widths=(40, 80), seeds=(1, 3))
    np.testing.assert_allclose(both["eigenvalue"], 2 * values, rtol=1e-9)
    np.testing.assert_allclose(both["limit_eigenvalue"], 2 * found["limit_eigenvalue"])
    np.testing.assert_allclose(both["tangent_error"], found["tangent_error"])
    assert json.loads(both.attrs["setting"])["kind"] == "antisymmetric"


def test_one_width_has_errors_but_no_exponent():
    found = kernel_concentration(DATA, ntk(), widths=(32,), seeds=(0,))
    assert np.isfinite(found["tangent_error"]).all()
    assert np.isnan(found["tangent_exponent"])
    assert np.isnan(found["layer_exponent"]).all()
    assert found.attrs["verdict"] == "undetermined"
    assert "two widths or more" in found.attrs["reason"]


@pytest.mark.parametrize("method", [Descent("stable"), Flow()])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_lazy_network_decays_as_its_kernel_at_the_start_says(method, outputs):
    said = []
    small = datasets.load("sines?n=4&inputs=3&amplitude=0.1")
    found = kernel_concentration(
        small,
        ntk(1),
        activation="erf",
        widths=(128, 256),
        seeds=(0, 1),
        outputs=outputs,
        train_by=method,
        progress=lambda *told: said.append(told),
    )
    assert np.all(found["status"] == STATUS_CODES[Status.CONVERGED])
    assert np.all(found["kernel_change"] < 0.02)
    np.testing.assert_allclose(found["measured_decay"], found["start_decay"], rtol=0.02)
    np.testing.assert_allclose(found["end_decay_rate"], found["decay_rate"], rtol=0.02)
    start = found["mean_square"][..., 0]
    np.testing.assert_allclose(start, outputs * np.mean(small.y**2))
    np.testing.assert_allclose(found["limit_mean_square"][..., 0], start)
    assert said[-1] == ("training", 4, 4)
    assert ("kernels", 4, 4) in said


def test_no_smooth_network_decays_slower_than_its_last_kernel_says():
    found = kernel_concentration(
        "gaussian?n=8&inputs=3",  # targets of order one, so that kernels move
        ntk(),
        activation="tanh",
        widths=(64,),
        seeds=(0, 1),
        train_by=Descent("stable"),
    )
    assert np.all(found["kernel_change"] > 0.02)
    np.testing.assert_allclose(found["measured_decay"], found["end_decay_rate"], rtol=0.03)
    assert np.all(found["measured_decay"] > found["end_decay_rate"])


def test_a_training_without_enough_steps_says_so():
    found = kernel_concentration(
        DATA, ntk(), widths=(16, 32), seeds=(0,), train_by=Descent("stable"), max_steps=2
    )
    assert np.all(found["status"] == STATUS_CODES[Status.MAX_STEPS])
    assert np.all(found["steps"] == 2)


def test_targets_of_nothing_have_kernels_but_no_alignment():
    x = datasets.load(DATA).x
    flat = datasets.Dataset(x, np.zeros(len(x)))
    found = kernel_concentration(flat, ntk(), widths=(16,), seeds=(0,))
    assert np.isnan(found["alignment"]).all()
    assert np.isnan(found["label_part"]).all()
    with pytest.raises(ArgumentError, match="there is nothing to learn"):
        kernel_concentration(flat, ntk(), widths=(16,), seeds=(0,), train_by=Flow())


OPPOSITE = datasets.Dataset(
    np.array([[1.0, 0.0], [0.5, 1.0], [-1.0, 0.0]]), np.array([1.0, 0.0, 2.0]), bias=False
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"data": OPPOSITE, "activation": "tanh"}, "its rows 0 and 2 are opposite"),
        ({"outputs": 100_000}, "need .* GiB, more than this machine has"),
        ({"outputs": 0}, "`outputs` must be a positive integer"),
        ({"widths": (10**7,)}, "`widths` must be smaller: networks of 10000000 neurons"),
        ({"widths": (8, 8)}, "`widths` must hold one or more different values"),
        ({"seeds": ()}, "`seeds` must hold one or more different values"),
        ({"kind": "odd"}, "`kind` must be one of antisymmetric"),
        ({"scaling": LayerScaling(g=(0.0, 200.0, 0.0))}, "signal in layer 2"),
        ({"scaling": "ntk"}, "`scaling` must be a LayerScaling"),
        ({"train_by": "descent"}, "`train_by` must be a Descent or a Flow"),
        ({"mean_square": 1e-3}, "`mean_square` is of trainings: give `train_by`"),
        ({"max_steps": 10}, "`max_steps` is of trainings: give `train_by`"),
        ({"max_steps": 0}, "`max_steps`"),
        ({"train_by": Flow(), "mean_square": -1.0}, "`mean_square` must be a positive"),
        ({"train_by": Flow(), "max_steps": 0}, "`max_steps` must be a positive"),
    ],
)
def test_wrong_input_is_refused_before_any_network_is_drawn(arguments, words, monkeypatch):
    monkeypatch.setattr(module, "initial_layer_parameters", None)
    usual = {"data": DATA, "scaling": ntk(), "widths": (8, 16), "seeds": (0,)}
    with pytest.raises(ArgumentError, match=words):
        kernel_concentration(**(usual | arguments))


@pytest.mark.parametrize(
    ("slope", "word"), [(-0.5, "m^(-1/2)"), (-1.0, "faster"), (-0.2, "slower")]
)
def test_verdicts_on_powers_of_the_width(slope, word):
    m = np.array([10.0, 100.0, 1000.0])
    scatter = 1 + 0.01 * np.random.default_rng(0).standard_normal((5, 3))
    assert judge_concentration(fit_power_law(m, m**slope * scatter)).word == word
    wild = np.exp(np.random.default_rng(0).standard_normal((3, 3)))
    assert judge_concentration(fit_power_law(m, m**slope * wild)).word == "undetermined"


@pytest.mark.parametrize(
    ("name", "depth", "slope"), [("tanh", 1, 4), ("erf", 2, 4), ("gelu", 2, 2), ("relu", 2, 0)]
)
def test_a_small_first_layer_makes_kernels_singular_at_the_predicted_rate(name, depth, slope):
    scales = layer_initialisation("lecun", depth, 4).at_width(100)
    found = kernel_degeneracy(DATA, scales, activation=name)
    assert found.attrs["predicted_slope"] == slope
    assert found.attrs["slope"] == pytest.approx(slope, abs=0.05)
    assert abs(found.attrs["drift"]) < 0.05


def test_where_no_slope_is_resolved_or_predicted_it_is_not_a_number():
    scales = layer_initialisation("lecun", 1, 2).at_width(100)
    found = kernel_degeneracy(
        "polynomial?n=16&low=-1", scales, activation="tanh", factors=(1e-6, 1e-5)
    )
    assert not found["resolved"].any()
    assert np.isnan(found.attrs["slope"])
    assert np.isnan(found.attrs["predicted_slope"])
    assert "polynomials up to degree" in found.attrs["reason"]
    with pytest.raises(ArgumentError, match="With β_1 times ε = 1e-300"):
        kernel_degeneracy(DATA, scales, factors=(1e-300,))
