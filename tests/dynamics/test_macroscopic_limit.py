"""The limit, its break-down time and the exact plane: against each other, laws and scalings."""

import math

import numpy as np
import pytest

from netphase import datasets
from netphase._types import Status
from netphase.activations import get
from netphase.datasets import Dataset
from netphase.dynamics import (
    Flow,
    MacroscopicDynamics,
    breakdown_time,
    evolve,
    macroscopic_limit,
    macroscopic_plane,
    window_law,
)
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.kernels import half_way
from netphase.networks import TwoLayerNetwork, initial_parameters
from netphase.scalings import Scales, ScalingLaw, predicted_exponents

LINEAR = datasets.linear()
CURVED = datasets.teacher_student(n=15, inputs=3, units=3, activation="tanh")
GAMMA, GAMMA_PRIME = np.linspace(0.5, 2, 41), np.linspace(-1, 1, 41)


def distance_to_kinks(gamma, gamma_prime):
    """Distance in the plane from the nearest line on which an exponent of the law has a kink."""
    x, y = gamma - 1, abs(gamma_prime)
    along = (x + y) / 2
    diagonal = math.hypot(x - along, y - along) if along > 0 else math.hypot(x, y)
    return min(abs(x), diagonal, y if x < 0 else math.hypot(x, y))


def deviations(plane, which):
    """|exponent − law|, shape (gamma_primes, gammas)."""
    law = [
        [getattr(predicted_exponents(g, h), which) for g in plane.gamma] for h in plane.gamma_prime
    ]
    return np.abs(plane.exponents(which) - np.array(law))


@pytest.fixture(scope="module")
def distances():
    return np.array([[distance_to_kinks(g, h) for g in GAMMA] for h in GAMMA_PRIME])


@pytest.mark.parametrize("data", [LINEAR, CURVED], ids=lambda data: data.name)
@pytest.mark.parametrize(("widths", "beyond"), [((1e12, 1e16), 0.2), ((1e60, 1e100), 0.02)])
def test_exponents_of_the_plane_are_those_of_the_law_off_the_lines(data, widths, beyond, distances):
    """The law holds for an antisymmetric start; nearer to the lines only at larger widths."""
    plane = macroscopic_plane(GAMMA, GAMMA_PRIME, widths, data)
    for which in ("w", "a", "theta"):
        assert deviations(plane, which)[distances > beyond].max() < 0.005
    assert np.array_equal(plane.relative_change_w.shape, (2, 41, 41))


def test_alignment_over_the_plane():
    """ρ → 1/√d where input weights are lazy; a limit near one where they condense."""
    plane = macroscopic_plane([0.6, 1.75], [-0.5, 0.0, 0.5], [1e16, 1e24], LINEAR)
    lazy, condensed = plane.alignment_ratio[..., 0], plane.alignment_ratio[..., 1]
    np.testing.assert_allclose(lazy, 0.5, rtol=1e-5)
    assert np.all(condensed > 0.99)
    np.testing.assert_allclose(condensed[1], condensed[0], rtol=1e-3)


@pytest.mark.parametrize("part", [1e-2, 1e-3, 1e-4])
def test_alignment_is_complete_where_the_drive_is_still_frozen(part):
    """The earlier the stop and the wider the network, the nearer ρ to one."""
    late = macroscopic_limit(ScalingLaw.plain(1.75, 0.0), 1e60, LINEAR, part=part)
    assert 1 - late.final["alignment_ratio"] < 0.1 * part


def test_the_plane_holds_what_single_limits_give():
    gammas, gamma_primes, widths = [0.6, 1.0, 1.7], [-0.8, 0.0, 0.3], [1e3, 1e16]
    plane = macroscopic_plane(gammas, gamma_primes, widths, CURVED, "gelu", part=0.7, delta=0.05)
    for i, width in enumerate(widths):
        for j, gamma_prime in enumerate(gamma_primes):
            for k, gamma in enumerate(gammas):
                law = ScalingLaw.from_gamma(gamma, gamma_prime, beta1=0.3)  # any gauge
                end = macroscopic_limit(law, width, CURVED, "gelu", part=0.7).final
                for name in (
                    "relative_change_w",
                    "relative_change_a",
                    "relative_change_theta",
                    "alignment_ratio",
                    "time",
                    "escapes",
                ):
                    assert getattr(plane, name)[i, j, k] == pytest.approx(end[name], rel=1e-8)
                assert end["mean_square"] == pytest.approx(plane.mean_square, rel=1e-11)
                broken = breakdown_time(law, width, CURVED, "gelu", delta=0.05)
                assert plane.breakdown[i, j, k] == pytest.approx(broken.escapes, rel=1e-9)
                assert plane.breakdown_closed[i, j, k] == pytest.approx(broken.closed, rel=1e-9)


def test_layer_rates_copies_slope_and_gauge_enter_as_they_should():
    """η_a/η_w = r is κ′/√r; two copies of m are one of 2m; c multiplies κ and the clock."""
    scales = Scales(3.0, 0.02, 0.5, 7.0)
    one = macroscopic_limit(scales, 1000, CURVED).final
    ratio = scales.kappa_prime
    beta1, beta2 = math.sqrt(scales.kappa * ratio), math.sqrt(scales.kappa / ratio)
    same = macroscopic_limit(Scales(1.0, beta1, beta2), 1000, CURVED).final
    double = macroscopic_limit(scales, 2000, CURVED, antisymmetric=False).final
    gelu = macroscopic_limit(Scales(1.5, 0.02, 0.5, 7.0), 1000, CURVED, "gelu").final
    for name in ("relative_change_w", "relative_change_a", "alignment_ratio", "time", "escapes"):
        assert same[name] == pytest.approx(one[name], rel=1e-9)
        assert double[name] == pytest.approx(one[name], rel=1e-9)
        assert gelu[name] == pytest.approx(one[name], rel=1e-9)
    assert one["raw_time"] == pytest.approx(one["time"] * scales.clock, rel=1e-12)


def test_own_moments_scatter_about_the_limit():
    """Over seeds, a network's own moments give the limit's numbers within standard errors."""
    law, width, stop = ScalingLaw.plain(1.4, 0.2), 4000, Stop(half_way(LINEAR))
    network = TwoLayerNetwork(get("tanh"), law.at_width(width))
    runs = [
        evolve(
            MacroscopicDynamics(network, LINEAR, rtol=1e-7),
            Flow(),
            initial_parameters(width, LINEAR.d, seed),
            stop=stop,
            tracked=width,
        )
        for seed in range(24)
    ]
    limit = macroscopic_limit(law, width, LINEAR).final
    for name in ("relative_change_w", "relative_change_a"):
        found = np.array([getattr(run, name)[-1] for run in runs]) / limit[name]
        error = found.std(ddof=1) / math.sqrt(len(found))
        assert error < 0.005
        assert abs(found.mean() - 1) < 4 * error + 3 / width


def test_history_of_the_limit():
    run = macroscopic_limit(ScalingLaw.plain(1.5, 0.0), 1e16, CURVED, stop=Stop(0.0))
    assert run.status is Status.STAGNATED
    assert run.mean_square[0] == pytest.approx(np.mean(CURVED.y**2), rel=1e-12)
    assert run.mean_square[-1] == pytest.approx(run.plateau, rel=1e-12)
    assert np.all(np.diff(run.mean_square) <= 0)
    assert run.final["output_rms"] ** 2 == pytest.approx(np.mean(CURVED.y**2) - run.plateau)
    assert run.relative_change_w[0] == run.relative_change_a[0] == run.output_rms[0] == 0
    assert run.alignment_ratio[0] == pytest.approx(1 / math.sqrt(CURVED.d))
    assert np.max(np.diff(np.log(run.time[10:]))) < 0.16  # rows all along
    times = run.time[[5, 40]]
    few = macroscopic_limit(
        ScalingLaw.plain(1.5, 0.0), 1e16, CURVED, times=times, stop=Stop(0.0, time=times[-1])
    )
    assert few.time.tolist() == [0.0, *times]
    assert few.relative_change_w[1:] == pytest.approx(run.relative_change_w[[5, 40]], rel=1e-8)


@pytest.mark.parametrize("gamma", [0.7, 1.0, 1.5, 2.0])
def test_break_down_is_where_the_output_has_its_size(gamma):
    law, delta = ScalingLaw.plain(gamma, 0.2), 0.07
    found = breakdown_time(law, 1e9, CURVED, "erf", delta=delta)
    stop = Stop(0.0, time=found.time)
    there = macroscopic_limit(law, 1e9, CURVED, "erf", stop=stop).final
    assert there["output_rms"] == pytest.approx(delta * math.sqrt(np.mean(CURVED.y**2)), rel=1e-10)
    assert there["escapes"] == pytest.approx(found.escapes, rel=1e-12)
    assert there["raw_time"] == pytest.approx(found.raw_time, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.7, 1.1, 2.0])
def test_the_closed_form_is_exact_as_delta_vanishes_and_early_by_its_order(gamma):
    law = ScalingLaw.plain(gamma, 0.1)
    gaps = []
    for delta in (1e-2, 1e-3, 1e-4):
        found = breakdown_time(law, 1e9, CURVED, delta=delta)
        unit = min(1.0, found.escapes)  # a power of the width, or a logarithm plus a constant
        gaps.append((found.escapes - found.closed) / unit)
    assert np.all(np.array(gaps) > 0)
    assert gaps[1] / gaps[0] == pytest.approx(0.1, rel=0.1)
    assert gaps[2] / gaps[1] == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("data", [LINEAR, CURVED], ids=lambda data: data.name)
@pytest.mark.parametrize(("gamma", "gamma_prime"), [(1.5, 0.0), (2.0, 0.0), (2.0, -0.4)])
def test_the_window_is_logarithmic_with_the_slope_of_the_law(gamma, gamma_prime, data):
    law = window_law(gamma, gamma_prime)
    assert law == (True, (gamma - abs(gamma_prime) - 1) / 2)
    widths = 10.0 ** np.arange(4, 17, 2)
    for which in ("closed", "escapes"):
        found = [
            getattr(breakdown_time(ScalingLaw.plain(gamma, gamma_prime), m, data), which)
            for m in widths
        ]
        slope = np.polyfit(np.log(widths), found, 1)[0]
        assert slope == pytest.approx(law.slope, rel=0.05)


@pytest.mark.parametrize(
    ("gamma", "gamma_prime", "exponent"),
    [(1.5, -1.0, -0.5), (1.2, 0.6, -0.4), (0.6, 0.0, -0.4), (2.0, -1.5, -0.5)],
)
def test_outside_the_window_the_break_down_time_is_a_power(gamma, gamma_prime, exponent):
    law = window_law(gamma, gamma_prime)
    assert not law.logarithmic
    assert law.slope == pytest.approx(exponent)
    for which in ("closed", "escapes"):
        first, last = (
            getattr(breakdown_time(ScalingLaw.plain(gamma, gamma_prime), m, CURVED), which)
            for m in (1e10, 1e14)
        )
        assert math.log(last / first) / math.log(1e4) == pytest.approx(exponent, abs=0.002)


def test_weak_linear_parts_never_break_down():
    """Where the best linear fit is smaller than δ|y|_rms: NaN in a plane, a refusal alone."""
    sines = datasets.sines()
    plane = macroscopic_plane([1.5], [0.0], [1e6], sines, delta=0.9)
    assert np.isnan(plane.breakdown).all()
    assert np.isnan(plane.breakdown_closed).all()
    assert np.isfinite(plane.relative_change_w).all()
    with pytest.raises(ArgumentError, match=r"`delta` must be below 0\.\d+, the size of the best"):
        breakdown_time(ScalingLaw.plain(1.5, 0.0), 1e6, sines, delta=0.9)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"law": "ntk"}, "`law` must be a ScalingLaw, or the Scales"),
        ({"width": 0}, "`width` must be a whole number"),
        ({"width": 10.5}, "`width` must be a whole number"),
        ({"width": math.inf}, "`width` must be a finite number"),
        ({"data": None}, "`data` must be a Dataset"),
        ({"data": Dataset(np.eye(2), np.zeros(2), "nothing", bias=False)}, "z = .* is zero"),
        ({"activation": "relu"}, "has a kink"),
        ({"activation": "softplus"}, "must vanish at zero"),
        ({"antisymmetric": 1}, "`antisymmetric` must be True or False"),
        ({"part": 1.0}, "`part` must lie between 0 and 1"),
        ({"stop": 0.5}, "`stop` must be a Stop"),
        ({"times": [3.0, 1.0]}, "`times` must be an increasing"),
        ({"rtol": 1.0}, "`rtol` must lie between"),
        ({"law": Scales(1e-200, 1e50, 1e50)}, "J = .* must lie between"),
        ({"law": Scales(1e300, 1e-5, 1e-5)}, "J = .* must lie between"),
        ({"law": Scales(1e307, 1e53, 1e53), "width": 1}, "`raw_time` leaves the range of a float"),
    ],
)
def test_limits_that_make_no_sense_get_a_sentence(change, sentence):
    usual = {"law": ScalingLaw.plain(1.5, 0.0), "width": 100, "data": LINEAR}
    with pytest.raises(ArgumentError, match=sentence):
        macroscopic_limit(**(usual | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"gamma": []}, "`gamma` must not be empty"),
        ({"gamma_prime": [np.nan]}, "`gamma_prime` must be finite"),
        ({"widths": [0.0]}, "`widths` must hold numbers ≥ 1"),
        ({"widths": 10.0}, "`widths` must have 1 axis"),
        ({"data": "linear"}, "`data` must be a Dataset"),
        ({"delta": 0.0}, "`delta` must be a positive"),
        ({"widths": [1e300]}, "`time` leaves the range of a float"),
        ({"gamma": [2.0], "gamma_prime": [-2.0], "widths": [1e155]}, "J = .* must lie between"),
    ],
)
def test_planes_that_make_no_sense_get_a_sentence(change, sentence):
    usual = {"gamma": [0.5, 1.5], "gamma_prime": [0.0], "widths": [1e4], "data": LINEAR}
    with pytest.raises(ArgumentError, match=sentence):
        macroscopic_plane(**(usual | change))


def test_a_plain_start_is_refused_where_its_first_output_grows():
    """f(0) ~ m^(1/2 − γ) is part of a network's own moments, and no longer small at γ < 1/2."""
    for gamma in (0.2, 0.499):
        law = ScalingLaw.plain(gamma, 0.3)
        for call in (
            lambda law=law: macroscopic_limit(law, 1e6, LINEAR, antisymmetric=False),
            lambda law=law: breakdown_time(law, 1e6, LINEAR, antisymmetric=False),
            lambda g=gamma: macroscopic_plane([2, g], [0.3], [1e6], LINEAR, antisymmetric=False),
        ):
            with pytest.raises(ArgumentError, match=f"γ must be ≥ 1/2, but is {gamma}: the first"):
                call()
        assert macroscopic_limit(law, 1e6, LINEAR).final["relative_change_w"] > 0
        scales = law.at_width(1000)
        assert macroscopic_limit(scales, 1000, LINEAR, antisymmetric=False).final["time"] > 0
    for gamma in (0.1 * 5, 0.1 + 0.4 - 1e-16, 0.6):
        plane = macroscopic_plane([gamma], [0.3], [1e6], LINEAR, antisymmetric=False)
        assert np.isfinite(plane.relative_change_w).all()


def test_the_smallest_part_is_where_the_drive_has_hardly_changed():
    """The mean square falls by 2Jλ²τ, up to its square; that of the targets is all reducible."""
    law, part = ScalingLaw.plain(0.6, 0.0), 1e-6
    found = macroscopic_limit(law, 1e6, LINEAR, part=part).final
    kappa = law.at_width(10**6).kappa
    rate = float(np.linalg.norm(LINEAR.y @ LINEAR.x / len(LINEAR.y)))
    expected = part * float(np.mean(LINEAR.y**2)) / (2 * 4e6 * kappa * rate**2)
    assert found["time"] * kappa == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("gamma", "width"), [(0.5, 1e4), (1.5, 1e3), (2.0, 1e100), (0.0, 1e100)])
@pytest.mark.parametrize("size", [1.0, 1e-20])
def test_the_smallest_delta_breaks_down_as_in_the_closed_form(gamma, width, size):
    """The drive is still z up to δ, so the closed form is exact, for targets of any size."""
    data = Dataset(LINEAR.x, LINEAR.y * size, "scaled", bias=False)
    law = ScalingLaw.plain(gamma, 0.0)
    for delta in (1e-150, 1e-80):
        found = breakdown_time(law, width, data, delta=delta)
        assert found.escapes == pytest.approx(found.closed, rel=1e-10, abs=0)


def test_a_delta_that_rounding_would_decide_is_refused():
    """Targets that a linear function fits: the output reaches nearly, but never quite, theirs."""
    law, far, near = ScalingLaw.plain(1.5, 0.0), 1 - 1e-8, 1 - 1e-10
    assert breakdown_time(law, 1e6, LINEAR, delta=far).escapes > 0
    with pytest.raises(ArgumentError, match=r"`delta` must be below 1, .*lost in rounding"):
        breakdown_time(law, 1e6, LINEAR, delta=near)
    for delta, broken in ((far, True), (near, False)):
        plane = macroscopic_plane([1.5], [0.0], [1e6], LINEAR, delta=delta)
        assert np.isfinite(plane.breakdown).all() == broken
    with pytest.raises(ArgumentError, match="`delta` must be ≥ 1e-150, but is 1e-300"):
        breakdown_time(law, 1e6, LINEAR, delta=1e-300)
    with pytest.raises(ArgumentError, match="`delta` must be ≥ 1e-150, but is 1e-300"):
        macroscopic_plane([1.5], [0.0], [1e6], LINEAR, delta=1e-300)


def test_exponents_need_two_widths_and_a_known_block():
    plane = macroscopic_plane([1.5], [0.0], [1e4], LINEAR)
    with pytest.raises(ArgumentError, match="need two widths"):
        plane.exponents()
    with pytest.raises(ArgumentError, match="`which` must be one of"):
        plane.exponents("b")
    with pytest.raises(ArgumentError, match="`gamma` must be a finite"):
        window_law(math.nan, 0.0)
    with pytest.raises(ArgumentError, match="`delta` must be a positive"):
        breakdown_time(ScalingLaw.plain(1.5, 0.0), 100, LINEAR, delta=-1.0)
