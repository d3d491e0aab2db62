"""The parts of the reproduction of Ma et al. (2020) on samples: measures can fail, smoke holds."""

import math

import numpy as np
import pytest
import xarray as xr

from netphase import reproductions, targets
from netphase.dynamics import RandomFeatureDynamics
from netphase.engine.problem import Stop
from netphase.reproductions.ma2020 import departures, printed, size_maps
from netphase.reproductions.ma2020.interpolation import tail_exponent
from netphase.reproductions.ma2020.samples import curves, spaced, sparse, train, twin_error
from netphase.reproductions.ma2020.width_sweep import GRIDS, half_sparse
from netphase.reproductions.reproduction import Stage

PAPER = reproductions.get("ma2020")


def on_samples(figure):
    """The part on samples that shows a figure."""
    words = "width", "samples", "output weights", "curves"
    return [
        part
        for part in PAPER.parts
        if figure in part.figures and any(word in part.title for word in words)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("figure", [4, 5, 6, 7, 8, 10, 11])
def test_smoke_size_of_a_figure_on_samples_holds(figure, tmp_path, failed, with_verdict):
    (part,) = on_samples(figure)
    checks = part.run(Stage("smoke", tmp_path, lambda _: None))
    assert failed(checks) == []
    assert with_verdict(checks)
    assert list(tmp_path.glob(f"figure{figure}*.png"))


@pytest.mark.slow
def test_smoke_size_of_departures_holds(tmp_path, failed):
    checks = departures.run(Stage("smoke", tmp_path, lambda _: None))
    assert failed(checks) == []
    assert (tmp_path / "departures.png").exists()


def test_sizes_grow_and_paper_has_every_printed_width():
    trained = {size: {m for widths, _ in grids for m in widths} for size, grids in GRIDS.items()}
    assert trained["smoke"] < trained["small"] == trained["paper"] == set(printed.WIDTHS)


# --- measures --------------------------------------------------------------------------------


def test_the_tail_exponent_is_that_of_a_pareto_law():
    draw = np.random.default_rng(0).random(20_000)
    for exponent in (0.5, 1.0):
        found = tail_exponent(np.log10(draw ** (-1 / exponent)))
        assert found == pytest.approx(exponent, abs=4 * exponent / math.sqrt(4000))


def test_half_sparse_is_interpolated_in_the_logarithm():
    widths = np.array([10.0, 20.0, 40.0, 160.0])
    assert half_sparse(widths, np.array([1.0, 1.0, 0.75, 0.25])) == pytest.approx(80.0)
    assert math.isnan(half_sparse(widths, np.ones(4)))
    assert math.isnan(half_sparse(widths, np.zeros(4)))


def test_sparse_needs_few_neurons_and_a_small_error():
    runs = xr.Dataset(
        {
            "effective_number": ("seed", [1.0, 1.0, 30.0]),
            "test_error": ("seed", [1e-6, 1e-2, 1e-6]),
            "rf_test_error": ("seed", [0.1, 0.1, 0.1]),
        }
    )
    assert sparse(runs).values.tolist() == [True, False, False]


def test_the_error_of_the_twin_is_that_of_its_samples():
    target = targets.single_neuron(5)
    found = 10 ** twin_error(target, 60, 8, 3)
    trained = train(target, 60, 8, 3, stop=Stop(max_steps=1))
    x = np.random.default_rng(1).standard_normal((200_000, 5))
    error = (trained.network.output(trained.twin, x) - target(x)) ** 2
    assert found == pytest.approx(error.mean(), abs=4 * error.std() / math.sqrt(len(error)))


def test_curves_of_network_and_twin_start_together():
    target = targets.single_neuron(5)
    trained = train(
        target, 40, 10, 0, stop=Stop(mean_square=0.0, time=50.0), times=spaced(1e-3, 50, 9)
    )
    both = curves(trained, rate=5e-3)
    assert both.iterations[[0, -1]] == pytest.approx([0.0, 5000.0])
    assert both.train[0] == pytest.approx(np.mean(trained.data.y**2))
    assert both.test[0] == pytest.approx(0.5)
    assert both.twin_train[1] == pytest.approx(both.train[1], rel=1e-4)
    assert both.train[-1] < 0.5 * both.twin_train[-1]


def test_undecided_is_the_fall_after_the_departure():
    time = np.array([1.0, 10.0, 100.0])
    zeros = np.zeros(3)
    there = departures.Departure(time, np.array([0.0, -1.0, -3.0]), zeros, zeros, zeros, 10.0, 0.0)
    assert there.undecided == pytest.approx(2.0)
    never = departures.Departure(
        time, np.array([0.0, -1.0, -3.0]), zeros, zeros, zeros, math.inf, 0.0
    )
    assert never.undecided == 0.0


def test_a_network_leaves_its_twin_where_it_is_narrow():
    narrow = departures._followed((9, 0))
    assert 1.0 < narrow.left < 100.0
    assert narrow.undecided > 1.0
    assert narrow.distance[0] < 1e-4


def test_twins_share_the_start_of_their_networks():
    trained = train(targets.circle(6), 30, 12, 1, stop=Stop(max_steps=5))
    model = RandomFeatureDynamics(trained.network, trained.data).model(trained.trajectory.initial)
    assert np.array_equal(model.parameters(math.inf).w, trained.twin.w)
    assert model.parameters(math.inf).a == pytest.approx(trained.twin.a, rel=1e-6)


def test_the_printed_mean_field_map_is_nearly_horizontal():
    table = np.array(printed.MEAN_FIELD_MAP)
    along = np.polyfit(np.log10(printed.MAP_SAMPLES), table.mean(axis=1), 1)[0]
    assert 0.0 < size_maps._printed_slope() < 0.1 * abs(along)
