"""Data sets from files: both formats, options in the source, and each refusal in words."""

import numpy as np
import pytest

from netphase import datasets
from netphase.datasets import from_arrays, load
from netphase.errors import ArgumentError

X, Y = np.array([[0.1, 2.0], [0.3, -1.0], [0.2, 0.5]]), np.array([1.0, 2.0, 3.0])


def _npz(folder, **arrays):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def test_an_npz_file_and_its_source(tmp_path):
    data = datasets.load(str(_npz(tmp_path, x=X, y=Y)))
    np.testing.assert_array_equal(data.x, np.column_stack([X, np.ones(3)]))
    np.testing.assert_array_equal(data.y, Y)
    assert data.name == "data"
    assert datasets.load(data.source) == data


def test_images_are_flattened(tmp_path):
    images = np.random.default_rng(0).random((3, 4, 5))
    data = datasets.from_npz(_npz(tmp_path, x=images, y=Y))
    assert data.d == 21
    np.testing.assert_array_equal(data.x[:, :-1], images.reshape(3, 20))


@pytest.mark.parametrize("header", ["", "u, v, target\n", "\ufeffu,v,t\n\n"])
def test_a_csv_file_with_and_without_a_header(tmp_path, header):
    path = tmp_path / "points.csv"
    path.write_text(header + "0.1, 2, 1\n0.3,-1,2\n0.2,5e-1,3\n", encoding="utf-8")
    data = datasets.load(str(path))
    np.testing.assert_array_equal(data.x[:, :-1], X)
    np.testing.assert_array_equal(data.y, Y)


def test_the_bias_is_an_option_of_the_source(tmp_path):
    path = _npz(tmp_path, x=X, y=Y)
    data = datasets.load(f"{path}?bias=false")
    assert data.d == 2
    assert datasets.load(data.source) == data != datasets.load(str(path))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "", "holds no rows"),
        ("a.csv", "x,y\n", "holds no rows"),
        ("a.csv", "1\n2\n", "at least two columns"),
        ("a.csv", "1,2\n3\n", "Line 2 of .* has 1 columns"),
        ("a.csv", "1,2\n3,b\n", "Line 2 of .*: 'b' is not a number"),
        ("a.csv", "1,2\n3,nan\n", "Line 2 of .*: 'nan' is not a finite number"),
        ("a.csv", "1,2\n1,2\n", "are equal, so the Gram matrix"),
        ("a.npz", "no archive", "not a readable .npz file"),
        ("a.txt", "1,2", "must be a .npz or .csv file"),
    ],
)
def test_unusable_files_are_refused_in_words(tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ArgumentError, match=words):
        datasets.load(str(path))


def test_missing_keys_and_files_are_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"lacks 'y' \(it has x, z\)"):
        datasets.load(str(_npz(tmp_path, x=X, z=Y)))
    with pytest.raises(ArgumentError, match="There is no file"):
        datasets.load(str(tmp_path / "nothing.csv"))
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ArgumentError, match="is not a file"):
        datasets.load(str(tmp_path / "folder.npz"))


def test_single_arrays_objects_and_binary_tables_are_refused(tmp_path):
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(ArgumentError, match="holds one array"):
        datasets.from_npz(tmp_path / "one.npz")
    objects = _npz(tmp_path, x=np.array([{}, {}], dtype=object), y=Y)
    with pytest.raises(ArgumentError, match="file of plain numbers"):
        datasets.from_npz(objects)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArgumentError, match="not a readable text file"):
        datasets.from_csv(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "must be a name or a path"),
        ("?", "must be a name or a path"),
        (3, "must be a name or a path"),
        ("fourpoints", "Did you mean 'four_points'"),
        ("folder/unknown", "must be a .npz or .csv file"),
        ("mnist?cont=3", "unknown option 'cont'. Options: count, seed, centred"),
        ("four_points?n=3", "unknown option 'n'. Options: centred"),
        ("gaussian?n", r"must end in \?option=value"),
        ("gaussian?n=many", "Option 'n' of the data must be an integer"),
        ("polynomial?low=a", "Option 'low' of the data must be a number"),
        ("polynomial?coefficients=1;2", "must be numbers separated by commas"),
        ("gaussian?bias=perhaps", "Option 'bias' of the data must be true or false"),
    ],
)
def test_unknown_sources_are_refused_in_words(source, words):
    with pytest.raises(ArgumentError, match=words):
        datasets.load(source)


@pytest.mark.parametrize("name", ["x", "y"])
def test_numbers_whose_squares_overflow_are_refused_and_the_file_is_named(tmp_path, name):
    arrays = {"x": np.array([[1.0], [2.0]]), "y": np.array([1.0, 2.0])}
    np.savez(tmp_path / "big.npz", **(arrays | {name: 1e101 * arrays[name]}))
    with pytest.raises(ArgumentError, match=rf"In '.*big\.npz', argument `{name}` .* at most 1e"):
        load(str(tmp_path / "big.npz"))


def test_a_number_with_an_underscore_is_none(tmp_path):
    (tmp_path / "a.csv").write_text("1_0,2\n20,3\n")
    with pytest.raises(ArgumentError, match="'1_0' is not a number"):
        load(str(tmp_path / "a.csv"))


def test_ragged_lists_are_refused_in_words():
    with pytest.raises(ArgumentError, match="a row is longer than another"):
        from_arrays([[1.0, 2.0], [3.0]], [1.0, 2.0])
