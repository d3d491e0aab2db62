"""A network watched while it condenses, against closed forms and plain loops."""

import msgspec
import numpy as np
import pytest

import netphase as nph
from netphase.condensing import condense, expected_directions
from netphase.errors import ArgumentError
from netphase.kernels import stage_end
from netphase.observables import alignment_ratio, condensed_directions, features, label_mean
from netphase.results import (
    chance_occupation,
    condensation_summary,
    features_at,
    growth_rate,
    occupation,
    parameters_at,
)
from netphase.results.occupation import median_cosine

DATA = "sines?n=30&inputs=2&frequency=2&seed=4"


def experiment(**fields):
    activation = fields.get("activation", "tanh")
    standard = {
        "law": nph.ScalingLaw.plain(4.0, 0.0),
        "width": 60,
        "activation": activation,
        "data": DATA,
        "antisymmetric": False,
        "method": nph.Flow(),
        "mean_square": stage_end(nph.datasets.load(DATA), activation),
    }
    return nph.Experiment(**{**standard, **fields})


@pytest.fixture(scope="module")
def record():
    return condense(experiment(), frames=30, chance_draws=19)


def test_early_moments_are_the_linear_theory_neuron_by_neuron(record):
    data = nph.datasets.load(DATA)
    z = data.y @ data.x / data.n
    size = np.linalg.norm(z)
    a, w = record["a"].values, record["w"].values
    along = w[0] @ z / size
    fallen = 1 - record["mean_square"].values / record["mean_square"].values[0]
    early = np.flatnonzero(fallen < 1e-3)
    assert len(early) > 15
    for k in early[1:]:  # the residual, at rest in the theory, has changed by about this share
        allowed = 2 * fallen[k] + 1e-6
        lam = size * float(record["raw_time"][k])
        grown_a = np.cosh(lam) * a[0] + np.sinh(lam) * along
        grown_w = np.cosh(lam) * along + np.sinh(lam) * a[0]
        exact_w = w[0] + np.outer(grown_w - along, z / size)
        assert np.abs(a[k] - grown_a).max() < allowed * np.abs(grown_a).max()
        assert np.abs(w[k] - exact_w).max() < allowed * np.abs(exact_w).max()
    assert lam > 3


def test_the_growth_rate_is_the_size_of_the_label_mean_over_alpha(record):
    data = nph.datasets.load(DATA)
    assert float(record["growth_rate"]) == pytest.approx(np.linalg.norm(data.y @ data.x / data.n))
    prediction = expected_directions(data, "tanh").prediction
    scales = nph.Scales(2.0, 1.0, 1.0)
    half = growth_rate(prediction, scales)
    assert half == pytest.approx(float(record["growth_rate"]) / 2)
    assert growth_rate(expected_directions(data, "x_tanh").prediction, scales) is None
    assert growth_rate(None, scales) is None


def test_the_record_ends_where_the_plain_run_ends(record):
    plain = nph.run(experiment())
    assert record.attrs["status"] == "converged"
    assert float(record["time"][-1]) == pytest.approx(float(plain["time"][-1]), rel=1e-12)
    for name in ("mean_square", "relative_change_w", "relative_change_a"):
        assert float(record[name][-1]) == pytest.approx(float(plain[name][-1]), rel=1e-2)
    assert float(record["alignment_ratio"][-1]) == pytest.approx(float(plain["alignment_ratio"]))


def test_counts_are_the_observables_of_the_moment(record):
    data = nph.datasets.load(DATA)
    z = label_mean(data.x, data.y)
    for index in (0, 14, -1):
        cloud = features_at(record, index)
        found = condensed_directions(cloud)
        now = record.isel(time=index)
        assert float(now["direction_clusters"]) == found.count
        assert float(now["effective_number"]) == pytest.approx(found.effective_number)
        assert float(now["active_neurons"]) == 60 - found.inactive
        sign = np.sign(record["a"].values[index])  # a > 0 belongs on +z, a < 0 on -z
        cosine = sign * (cloud.direction @ z) / np.linalg.norm(z)
        assert float(now["median_cosine"]) == pytest.approx(np.median(cosine))
        near = cloud.amplitude[cosine > 0.95].sum() / cloud.amplitude.sum()
        assert float(now["predicted_share"]) == pytest.approx(near)
        ratio = alignment_ratio(parameters_at(record, index), z)
        assert float(now["alignment_ratio"]) == pytest.approx(ratio)


def test_a_small_network_of_multiplicity_one_ends_on_its_line(record):
    assert float(record["lines"][-1]) == 1
    assert float(record["direction_clusters"][-1]) == 2
    assert float(record["predicted_share"][-1]) > 0.99


def test_a_random_start_is_at_the_chance_level():
    scores = []
    for seed in range(5):
        seen = condense(experiment(seed=seed), frames=2, chance_draws=40)
        for name in ("direction_clusters", "effective_number"):
            mean, std = float(seen[f"{name}_chance"][0]), float(seen[f"{name}_chance_std"][0])
            scores.append((float(seen[name][0]) - mean) / std)
    assert np.abs(scores).max() < 4
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(5)  # two counts of a start agree


def test_moments_are_evenly_spaced_in_what_happens(record):
    from netphase.dynamics import GradientDynamics, evolve
    from netphase.engine.problem import Stop
    from netphase.results.pacing import progress_of_states

    run = experiment()
    network = nph.TwoLayerNetwork(nph.activations.get("tanh"), run.scales)
    dynamics = GradientDynamics(network, run.dataset)
    start = nph.initial_parameters(60, 3, 0, False)

    def unevenness(times):
        last = Stop(mean_square=0.0, time=times[-1])
        seen = evolve(dynamics, run.method, start, stop=last, times=times)
        states = zip(times, seen.mean_square, seen.snapshots, strict=True)
        steps = np.diff(progress_of_states(states, 60)[1])
        return steps.std() / steps.mean()

    chosen = record["time"].values
    assert unevenness(chosen) < unevenness(np.linspace(0, chosen[-1], len(chosen))) / 2


def test_the_end_of_the_initial_stage_is_marked_where_the_run_goes_on():
    half = experiment(mean_square=stage_end(nph.datasets.load(DATA), "tanh", 0.5))
    limit = stage_end(nph.datasets.load(DATA), "tanh", 0.1)
    alone = nph.run(msgspec.structs.replace(half, mean_square=limit))  # within a thousandth
    fall = float(alone["mean_square"][0]) - limit
    for frames in (8, 3):  # few moments, none of them near the end by itself
        seen = condense(half, frames=frames)
        assert seen.sizes["time"] == frames
        end = float(seen["initial_stage_end"])
        assert end == pytest.approx(float(alone["time"][-1]), rel=0.02)
        at = int(np.flatnonzero(seen["time"].values == end)[0])
        assert 0 < at < frames - 1
        assert abs(float(seen["mean_square"][at]) - limit) < 1e-3 * fall
    assert float(condense(half, frames=2)["initial_stage_end"]) == end


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_the_end_on_a_flat_plateau_is_found_to_a_part_of_its_fall(activation):
    """Where the whole initial stage lowers the error by a thousandth and less."""
    data = nph.datasets.load("sines?n=80&inputs=1&frequency=3")
    run = experiment(
        law=nph.ScalingLaw.plain(3.0, 0.0), width=40, data=data, activation=activation,
        mean_square=6.3,
    )  # fmt: skip
    limit = stage_end(data, activation)
    seen = condense(run, frames=6)
    at = int(np.flatnonzero(seen["time"].values == float(seen["initial_stage_end"]))[0])
    fall = float(np.var(data.y)) - limit if activation == "softplus" else np.mean(data.y**2) - limit
    assert fall < 2e-3 * limit
    assert abs(float(seen["mean_square"][at]) - limit) < 0.01 * fall


def test_a_run_that_ends_before_the_initial_stage_does_has_no_end_of_it():
    seen = condense(experiment(time=1e-3), frames=3)
    assert np.isnan(seen["initial_stage_end"])


def test_a_run_to_the_end_of_the_initial_stage_ends_with_it(record):
    last = float(record["time"][-1])
    assert 0.98 * last < float(record["initial_stage_end"]) <= last


def test_a_saddle_that_neurons_still_leave_is_not_stagnation():
    data = nph.datasets.load("sines?n=80&inputs=1&frequency=3")
    saddle = float(np.var(data.y))  # the output weights have fitted the mean of the targets
    run = experiment(
        law=nph.ScalingLaw.plain(3.0, 0.0), width=40, data=data, activation="softplus",
        mean_square=saddle * (1 - 4e-5),
    )  # fmt: skip
    assert nph.run(run).attrs["status"] == "stagnated"  # by the loss alone
    exact = nph.run(msgspec.structs.replace(run, stagnation=0.0))
    seen = condense(run, frames=3)
    assert seen.attrs["status"] == "converged"
    assert float(seen["time"][-1]) == pytest.approx(float(exact["time"][-1]), rel=1e-9)


def test_a_network_at_rest_has_stagnated():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    data = nph.datasets.from_arrays(x[:, None], np.array([1.0, -1.0, 1.0, -1.0]))
    run = experiment(data=data, width=1, mean_square=1e-9, law=nph.ScalingLaw.plain(0.0, 0.0))
    assert condense(run, frames=2).attrs["status"] == "stagnated"


def test_moments_of_a_literal_descent_are_its_steps():
    rate, data = 2e5, nph.datasets.load(DATA)
    run = experiment(method=nph.Descent(learning_rate=rate), time=40 * rate, mean_square=1e-6)
    seen = condense(run, frames=8)
    steps = seen["time"].values / rate
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert steps[-1] == pytest.approx(40)
    scales = run.scales
    start = nph.initial_parameters(60, 3, 0, False)
    a, w = scales.beta1 * start.a, scales.beta2 * start.w
    for _ in range(40):  # raw variables, step = rate * clock
        hidden = np.tanh(data.x @ w.T)
        error = (hidden @ a - data.y) / data.n
        slope = error[:, None] * (1 - hidden**2) * a
        step = rate * scales.clock
        a, w = a - step * hidden.T @ error, w - step * slope.T @ data.x
    np.testing.assert_allclose(seen["a"].values[-1], a / scales.beta1, rtol=1e-9)
    np.testing.assert_allclose(seen["w"].values[-1], w / scales.beta2, rtol=1e-9)


def test_moments_of_adam_are_whole_steps_of_one_run():
    run = experiment(method=nph.Adam(1e-3), time=50.0, mean_square=1e-6)
    seen = condense(run, frames=9)
    times = seen["time"].values
    assert times.tolist() == sorted({*map(int, times)})
    assert (times[0], times[-1]) == (0, 50)
    assert "raw_time" not in seen
    direct = nph.run(run)
    np.testing.assert_array_equal(seen["w"].values[-1], direct["final_w"].values)
    assert float(seen["mean_square"][-1]) == float(direct["mean_square"][-1])


def test_the_watcher_sees_every_moment_in_order():
    seen = []
    result = condense(experiment(), frames=5, watch=seen.append)
    assert [each.time for each in seen] == result["time"].values.tolist()
    assert seen[2].counts["lines"] == float(result["lines"][2])


def test_the_second_copy_is_kept_and_not_counted():
    seen = condense(experiment(antisymmetric=True), frames=4)
    assert seen.sizes["neuron"] == 120
    np.testing.assert_array_equal(seen["a"][0, :60], -seen["a"][0, 60:])
    assert len(features_at(seen, 1).amplitude) == 60
    first = features(nph.initial_parameters(60, 3, 0, False))
    np.testing.assert_allclose(features_at(seen, 0).amplitude, first.amplitude)


def test_one_input_leaves_its_function_at_every_moment():
    seen = condense(experiment(data="four_points", mean_square=0.03), frames=3)
    assert seen["function"].dims == ("time", "grid")
    scales = nph.ScalingLaw.plain(4.0, 0.0).at_width(60)
    x = np.column_stack([seen["grid"].values, np.ones(seen.sizes["grid"])])
    a, w = seen["a"].values[-1] * scales.beta1, seen["w"].values[-1] * scales.beta2
    np.testing.assert_allclose(seen["function"].values[-1], np.tanh(x @ w.T) @ a, rtol=1e-9)
    assert "function" not in condense(experiment(), frames=2)


def test_a_run_that_overflows_keeps_what_is_finite():
    seen = condense(experiment(method=nph.Descent(learning_rate=1e300)), frames=5)
    assert seen.attrs["status"] in ("non-finite", "diverged")
    assert seen.attrs["remedy"]
    assert np.isfinite(seen["mean_square"].values).all()


def test_why_nothing_is_predicted_is_said():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    even = nph.datasets.from_arrays(x[:, None], x**2 - np.mean(x**2))
    assert "z = (1/n) Σ y_i x_i" in expected_directions(even, "tanh").reason
    assert "σ(0) = 0.5" in expected_directions(nph.datasets.four_points(), "sigmoid").reason
    flat = expected_directions(nph.datasets.axes(), "x_tanh")
    assert flat.prediction is None
    assert "no isolated maximum" in flat.reason
    seen = condense(experiment(data=even, mean_square=0.1), frames=3)
    assert seen.sizes["prediction"] == 0
    assert "z = (1/n)" in seen.attrs["no_prediction"]
    assert np.isnan(seen["median_cosine"].values).all()
    assert np.isnan(seen["initial_stage_end"])


@pytest.mark.parametrize(
    ("fields", "frames", "words"),
    [
        ({}, 1, "`frames` must be at least 2"),
        ({}, 2.5, "`frames` must be a positive integer"),
        ({"mean_square": 100.0}, 5, "already at or below the target 100"),
    ],
)
def test_wrong_arguments_are_refused(fields, frames, words):
    with pytest.raises(ArgumentError, match=words):
        condense(experiment(**fields), frames)


def test_dead_neurons_are_refused_and_one_living_is_enough():
    x = np.array([[0.9], [1.0], [1.1]])
    data = nph.datasets.from_arrays(x, np.array([1.0, 2.0, 2.0]))
    dead = [s for s in range(20) if not (data.x @ nph.initial_parameters(1, 2, s).w.T > 0).any()]
    assert dead
    run = experiment(activation="relu", data=data, width=1, seed=dead[0], mean_square=0.1)
    with pytest.raises(ArgumentError, match="neuron of this start is dead"):
        condense(run)
    alive = next(s for s in range(20) if s not in dead)
    condense(msgspec.structs.replace(run, seed=alive, max_steps=5), frames=2)


def test_a_moment_that_is_not_there_is_refused(record):
    with pytest.raises(ArgumentError, match="one of the 30 moments, but is 30"):
        features_at(record, 30)


def test_occupation_counts_each_neuron_for_its_nearest_direction():
    angle = np.radians([0.0, 10.0, 28.0, 90.0, 180.0])
    w = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cloud = features(nph.Parameters(np.array([1.0, 1.0, 2.0, 5.0, 1.0]), w))
    directions = np.array([[1.0, 0.0], [np.cos(np.pi / 6), np.sin(np.pi / 6)]])
    found = occupation(cloud, directions)
    assert found.neurons.tolist() == [2, 1]
    np.testing.assert_allclose(found.shares, [0.2, 0.2])
    assert (found.neuron_share, found.share) == (0.6, pytest.approx(0.4))
    assert found.wrong_sign.tolist() == [0, 0]


def test_neurons_of_the_wrong_sign_do_not_occupy():
    angle = np.radians([0.0, 5.0, 175.0, 180.0, 90.0])
    w = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    a = np.array([1.0, -2.0, -3.0, 4.0, -10.0])
    cloud = features(nph.Parameters(a, w))
    line, signs = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1, -1])
    found = occupation(cloud, line, a=a, sign_of_a=signs)
    assert found.neurons.tolist() == [1, 1]
    assert found.wrong_sign.tolist() == [1, 1]
    np.testing.assert_allclose(found.shares, [0.05, 0.15])
    assert found.neuron_share == pytest.approx(0.4)
    median = median_cosine(cloud, line, a=a, sign_of_a=signs)
    along = [1.0, -np.cos(np.radians(5)), np.cos(np.radians(5)), -1.0, 0.0]
    assert median == pytest.approx(np.median(along))
    positive = median_cosine(cloud, line[:1], a=a, sign_of_a=signs[:1])
    assert positive == pytest.approx(0.0, abs=1e-12)  # of the two neurons with a > 0
    assert np.isnan(median_cosine(cloud, line[:1], a=-np.abs(a), sign_of_a=signs[:1]))
    with pytest.raises(ArgumentError, match="go together"):
        occupation(cloud, line, a=a)


def test_wrong_signs_are_no_occupation_of_a_run():
    """Beyond the initial stage all neurons on the lines of this start have the other sign."""
    run = experiment(
        law=nph.ScalingLaw.plain(3.0, 0.0), width=40, data="sines?n=80&inputs=1&frequency=3",
        mean_square=5.0,
    )  # fmt: skip
    seen = condense(run, frames=3)
    cloud, directions = features_at(seen, -1), seen["predicted_direction"].values
    a, signs = parameters_at(seen, -1).a, seen["predicted_sign"].values
    found = occupation(cloud, directions, a=a, sign_of_a=signs)
    assert found.neurons.sum() == 0
    assert found.wrong_sign.sum() == occupation(cloud, directions).neurons.sum() > 20
    assert float(seen["predicted_share"][-1]) == 0.0


@pytest.mark.parametrize("d", [2, 3, 5])
def test_chance_occupation_is_the_area_of_the_caps(d):
    from scipy.special import betainc

    cap = betainc((d - 1) / 2, 0.5, 1 - 0.8**2) / 2
    measured = chance_occupation(np.eye(d)[:2], 0.8)
    error = np.sqrt(2 * cap * (1 - 2 * cap) / 20_000)
    assert abs(measured - 2 * cap) < 4 * error
    signed = chance_occupation(np.eye(d)[:2], 0.8, sign_of_a=np.array([1, -1]))
    assert abs(signed - cap) < 4 * error
    same = chance_occupation(np.eye(d)[:2], 0.8, sign_of_a=np.array([1, 1]))
    assert same == pytest.approx(measured / 2)


def test_the_summary_holds_every_measure_with_its_chance_level(record):
    found = condensation_summary(features_at(record, -1), draws=39)
    chance = {each.statistic: each for each in found.chance}
    assert found.directions == chance["clusters"].observed == 2
    assert found.lines == chance["lines"].observed == 1
    assert found.cover.upper == chance["cover"].observed
    assert found.active + found.inactive == 60
    assert found.shares.sum() == pytest.approx(1)
    assert all(each.p <= 1 / 40 for each in found.chance)
    before = condensation_summary(features_at(record, 0), draws=39)
    assert before.verdict.label == "not condensed"
