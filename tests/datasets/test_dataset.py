"""`Dataset`: what it accepts, its fingerprint, and each refusal in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.datasets import Dataset, from_arrays, load
from netphase.errors import ArgumentError


def _data(x, y=None, **options):
    x = np.asarray(x, dtype=float)
    return from_arrays(x, np.arange(len(x)) if y is None else y, **options)


def test_arrays_are_copied_checked_and_frozen():
    x, y = np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]])
    data = from_arrays(x, y)
    x[0, 0] = 9
    assert data.x[0, 0] == 1
    assert data.y.shape == (2,)
    with pytest.raises(ValueError, match="read-only"):
        data.x[0, 0] = 5


def test_the_fingerprint_sees_numbers_and_shapes_only():
    one = _data([1.0, 2.0, 3.0])
    assert one.sha256 == _data([1.0, 2.0, 3.0], name="other").sha256
    assert one == _data([1.0, 2.0, 3.0], name="other")
    assert hash(one) == hash(_data([1.0, 2.0, 3.0], name="other"))
    assert one != _data([1.0, 2.0, 3.0 + 1e-15])
    assert one != _data([1.0, 2.0, 3.0], y=[0, 1, 3])
    assert one != "data"
    assert one.sha256 == "329b1220f07fe2853c7b7815d8f282d435f947380e2e220ebfccf542da990d86"


def test_centred_targets_have_mean_zero_on_the_same_inputs():
    data = _data([1.0, 2.0, 4.0], y=[1, 5, 0])
    centred = data.centred()
    np.testing.assert_allclose(centred.y, [-1, 3, -2])
    assert np.array_equal(centred.x, data.x)
    assert (centred.name, centred.source, centred.bias) == ("data, centred", "", True)
    assert centred.centred() is centred
    assert not _data([1.0, 2.0], y=[7.3, 7.3], bias=True).centred().y.any()


@pytest.mark.parametrize("source", ["four_points", "gaussian?n=7", "gaussian?bias=False"])
def test_the_source_of_centred_data_makes_them_again(source):
    centred = load(source).centred()
    assert load(centred.source) == centred != load(source)


def test_the_source_of_centred_files_makes_them_again(tmp_path):
    for name in ("points.csv", "what?.csv"):
        path = tmp_path / name
        path.write_text("0,1\n1,2\n2,9\n")
        centred = load(str(path)).centred()
        np.testing.assert_allclose(centred.y, [-3, -2, 5])
        assert load(centred.source) == centred


@pytest.mark.parametrize(
    ("x", "y", "options", "words"),
    [
        ([[1.0], [np.nan]], None, {}, "`x` must be finite"),
        ([1.0, 2.0], [0.0, np.inf], {}, "`y` must be finite"),
        ([1.0, 2.0], [0.0], {}, "have 2 and 1 of them"),
        ([1.0, 2.0], [[0.0, 1.0], [1.0, 0.0]], {}, "`y` must have 1 axis"),
        ([[[1.0]]], None, {}, "`x` must have 2 axes"),
        ([], [], {}, "`x` must not be empty"),
        ([1.0, 2.0, 1.0], None, {}, "Inputs 0 and 2 are equal, so the Gram matrix"),
        ([[1.0, 1.0], [2.0, 2.0]], None, {"bias": False}, "parallel, so the Gram matrix"),
        ([[1e10], [1e10 + 1]], None, {}, "parallel once the bias is appended.*Rescale"),
        ([[1.0], [0.0]], None, {"bias": False}, "Input 1 is zero"),
    ],
)
def test_unusable_data_are_refused_in_words(x, y, options, words):
    with pytest.raises(ArgumentError, match=words):
        _data(x, y, **options)


def test_a_wrong_bias_column_is_refused():
    with pytest.raises(ArgumentError, match="last column of `x` must be ones"):
        Dataset(np.array([[1.0, 2.0]]), np.array([1.0]))


def test_opposite_inputs_are_not_parallel():
    assert _data([[1.0], [-1.0]], bias=False).n == 2


@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 6), st.data())
def test_a_planted_parallel_pair_is_always_found(seed, n, d, data):
    x = np.random.default_rng(seed).standard_normal((n, d + 1))
    i, j = data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=2, unique=True))
    assert _data(x, bias=False).n == n
    x[j] = x[i] * data.draw(st.floats(0.1, 10))
    low, high = sorted((i, j))
    with pytest.raises(ArgumentError, match=f"Inputs {low} and {high} are (parallel|equal)"):
        _data(x, bias=False)
