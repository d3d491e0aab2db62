"""The front, slopes, ridge and endings of maps whose front is known."""

import numpy as np
import pytest

from netphase.analysis import endings, error_slopes, measured_front, twin_ridge
from netphase.errors import ArgumentError
from netphase.results import SIZES

SAMPLES = (50, 100, 200, 400)
WIDTHS = tuple(round(10**x) for x in np.arange(0.5, 3.6, 0.125))
D = 20


def synthetic(error, seeds=(0, 1, 2), scalings=(0.0,), status="converged", twin=None):
    """A size sweep with log10 test error ``error(n, m, seed)`` and a twin with a ridge at m = n."""
    axes = {"scaling": scalings, "sample": SAMPLES, "width": WIDTHS, "seed": seeds}
    rows = SIZES.empty(SIZES.shape(axes))
    for i, j, k, s in np.ndindex(*rows.shape[:-1]):
        n, m, seed = SAMPLES[j], WIDTHS[k], seeds[s]
        ridge = -1.0 + 2.0 * np.exp(-((np.log10(m / n) / 0.15) ** 2))
        ended = status(n, m) if callable(status) else status
        rows[i, j, k, s] = SIZES.pack(
            {
                "status": ended,
                "test_error": 10 ** error(n, m, seed),
                "rf_test_error": 10 ** (ridge if twin is None else twin(n, m, seed)),
            }
        )
    return SIZES.dataset(axes, rows, {"d": D})


def quarter(n):
    """A front between the two lines."""
    return n / 4


def step(front, shifts=(0.0,) * 9, floor=-6.0, level=-1.0, slope=0.1):
    """A smooth rise around m = front(n) 10^shifts[seed]; the middle is at the front itself."""

    def error(n, m, seed):
        x = (np.log10(m / front(n)) - shifts[seed]) / slope
        return floor + (level - floor) / (1.0 + np.exp(-x))

    return error


def test_a_known_front_is_found_in_every_row_with_its_exponent():
    front = measured_front(synthetic(step(lambda n: 0.02 * n**1.5, (-0.01, 0.0, 0.01))), 0.0)
    truth = 0.02 * np.array(SAMPLES) ** 1.5
    assert front.found == 4
    np.testing.assert_allclose(np.log10(front.width / truth), 0.0, atol=0.02)
    assert np.all(np.abs(np.log10(front.width / truth)) < 3 * front.error)
    assert front.fit.exponent == pytest.approx(1.5, abs=0.03)
    np.testing.assert_allclose(front.floor[1:], -6.0, atol=0.02)  # its grid shows the floor
    np.testing.assert_allclose(front.level, -1.0, atol=1e-6)
    assert front.notes == ("",) * 4
    low, high = front.bounds
    assert np.all((low < front.width) & (front.width < high))


def test_the_error_of_a_front_covers_the_scatter_of_its_seeds():
    rng = np.random.default_rng(3)
    shifts = rng.normal(0.0, 0.2, 9)
    narrow = measured_front(synthetic(step(lambda n: n / 5), tuple(range(9))), 0.0)
    wide = synthetic(step(lambda n: n / 5, shifts), tuple(range(9)))
    found = measured_front(wide, 0.0)
    assert np.all(found.error > 2 * narrow.error)
    # the median of nine normal draws scatters by 1.25 σ/√9
    assert np.all((found.error > 0.3 * 0.083) & (found.error < 3 * 0.083))
    np.testing.assert_allclose(narrow.error, 0.125 / np.sqrt(12), atol=0.01)


def test_the_error_of_the_exponent_covers_what_the_spacing_of_the_widths_hides():
    rng = np.random.default_rng(4)
    coarse = (3, 9, 28, 90, 280, 900)
    off = []
    for _ in range(40):
        shift = rng.uniform(-0.25, 0.25)
        law = step(lambda n, shift=shift: 0.02 * 10**shift * n**1.5, (0.0, 0.0, 0.01), slope=0.03)
        front = measured_front(
            synthetic(law).sel(width=[w for w in WIDTHS if near(w, coarse)]), 0.0
        )
        off.append((front.fit.exponent - 1.5) / front.fit.standard_error)
    assert np.sqrt(np.mean(np.square(off))) < 1.3
    assert np.max(np.abs(off)) < 3.0


def near(width, wanted):
    """Whether a width is within 15 % of one that is wanted."""
    return min(abs(np.log(width / w)) for w in wanted) < 0.14


def test_the_order_of_the_dimensions_does_not_matter():
    results = synthetic(step(quarter, (-0.1, 0.0, 0.2)))
    turned = results.transpose("seed", "width", "sample", "scaling")
    for front in (measured_front(turned, 0.0), measured_front(results, 0.0)):
        np.testing.assert_allclose(front.width, np.array(SAMPLES) / 4, rtol=0.05)
    assert error_slopes(turned, 0.0) == error_slopes(results, 0.0)
    np.testing.assert_array_equal(twin_ridge(turned), twin_ridge(results))


def test_rows_between_the_lines_are_counted():
    inside = measured_front(synthetic(step(quarter)), 0.0)
    beyond = measured_front(synthetic(step(lambda n: 2 * n)), 0.0)
    assert (inside.between, beyond.between) == (4, 0)
    half = measured_front(synthetic(step(lambda n: n / 4 if n < 150 else 2 * n)), 0.0)
    assert (half.between, half.found) == (2, 4)


def test_a_flat_map_has_no_front():
    def flat(n, m, seed):
        return -5.0 + 0.01 * np.log10(m) + 1e-3 * (seed + np.log10(n))

    front = measured_front(synthetic(flat), 0.0)
    assert front.found == 0
    assert front.fit is None
    assert all("stays below the middle" in note for note in front.notes)


def test_too_little_contrast_is_undetermined():
    front = measured_front(synthetic(step(quarter, floor=-1.8)), 0.0)
    assert front.found == 0
    assert all(note.startswith("undetermined: the contrast is 0.8") for note in front.notes)


def test_a_rise_that_stays_away_from_the_random_features_is_no_front():
    front = measured_front(synthetic(step(quarter, level=-2.5)), 0.0)
    assert front.found == 0
    assert all("not to the level of the random features" in note for note in front.notes[1:])


def test_only_the_last_rise_counts():
    def bumpy(n, m, seed):
        return -1.0 if m < 5 else step(quarter)(n, m, seed)

    front = measured_front(synthetic(bumpy), 0.0)
    np.testing.assert_allclose(front.width, np.array(SAMPLES) / 4, rtol=0.05)


def test_few_seeds_give_a_front_without_an_error():
    front = measured_front(synthetic(step(quarter), seeds=(0, 1)), 0.0)
    assert front.found == 4
    assert np.isnan(front.error).all()
    assert set(front.notes) == {"fewer than three seeds: no error"}


def test_runs_that_did_not_end_do_not_count_but_stagnated_ones_do():
    def ended(n, m):
        if n == 50:
            return "maximum steps"
        return "stagnated" if m < 10 else "converged"

    front = measured_front(synthetic(step(quarter), status=ended), 0.0)
    assert np.isnan(front.width).tolist() == [True, False, False, False]
    assert front.notes[0] == "no width has runs that count"
    shares = endings(synthetic(step(quarter), status=ended))[0.0]
    assert shares["maximum steps"] == pytest.approx(0.25)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_slopes_of_a_plane_are_its_own():
    def plane(n, m, seed):
        return 2.0 + 0.25 * np.log10(m) - 3.0 * np.log10(n) + 0.1 * (seed - 1)

    slopes = error_slopes(synthetic(plane), 0.0)
    assert slopes.width == pytest.approx(0.25, abs=1e-9)
    assert slopes.sample == pytest.approx(-3.0, abs=1e-9)
    assert slopes.ratio == pytest.approx(1 / 12)
    assert slopes.cells == len(SAMPLES) * len(WIDTHS)
    assert max(slopes.width_error, slopes.sample_error) < 1e-9


def test_slopes_may_leave_out_networks_with_fewer_weights_than_samples():
    def bent(n, m, seed):
        return (-9.0 + seed) if m * (D + 1) <= n else 0.5 * np.log10(m) - 2.0 * np.log10(n)

    above = error_slopes(synthetic(bent), 0.0, least=1.0)
    assert above.width == pytest.approx(0.5, abs=1e-9)
    assert above.sample == pytest.approx(-2.0, abs=1e-9)
    inside = sum(m * (D + 1) > n for n in SAMPLES for m in WIDTHS)
    assert above.cells == inside
    assert error_slopes(synthetic(bent), 0.0).width > 0.6


def test_the_error_of_a_slope_follows_its_seeds():
    def plane(n, m, seed):
        return 0.2 * (seed - 1) * np.log10(m) - np.log10(n)

    slopes = error_slopes(synthetic(plane), 0.0)
    assert 0.05 < slopes.width_error < 0.3
    assert slopes.sample_error < 1e-9


def test_the_ridge_of_the_twins_is_at_the_width_nearest_to_n():
    nearest = [min(WIDTHS, key=lambda m: abs(np.log(m / n))) for n in SAMPLES]
    assert twin_ridge(synthetic(step(quarter))).tolist() == nearest


def test_maps_without_a_plane_have_no_slopes():
    one = synthetic(step(quarter)).isel(width=[3])
    slopes = error_slopes(one, 0.0)
    assert np.isnan([slopes.width, slopes.width_error, slopes.sample]).all()
    assert slopes.cells == len(SAMPLES)
    assert measured_front(one, 0.0).found == 0


def test_wrong_results_are_refused():
    results = synthetic(step(quarter))
    with pytest.raises(ArgumentError, match=r"`scaling` must be one of \[0\.0\]"):
        measured_front(results, 1.0)
    with pytest.raises(ArgumentError, match=r"`scaling` must be one of \[0\.0\]"):
        error_slopes(results, 1.0)
    with pytest.raises(ArgumentError, match="lacks the dimension sample"):
        twin_ridge(results.isel(sample=0))
