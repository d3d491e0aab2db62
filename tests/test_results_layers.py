"""What layer sweeps record: a column for every matrix and hidden layer, and axes by their names."""

import pytest

from netphase.errors import ArgumentError
from netphase.results import Schema, layer_schema


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_every_matrix_and_every_hidden_layer_has_its_columns(depth):
    names = set(layer_schema(depth, ("gamma", "g1")).column)
    for k in range(1, depth + 2):
        assert {f"operator_change_{k}", f"frobenius_change_{k}"} <= names
        assert ({f"feature_change_{k}", f"feature_gram_change_{k}"} <= names) == (k <= depth)
    assert f"operator_change_{depth + 2}" not in names


def test_the_axes_carry_their_names_and_span_the_plane():
    schema = layer_schema(3, ("rate1", "g4"))
    assert schema.dims == ("g4", "rate1", "width", "seed")
    assert schema.plane == ("g4", "rate1")
    assert "β4" in schema.axis("g4").long_name
    assert Schema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize("axes", [("gamma", "gamma"), ("g5", "gamma"), ("gamma",), ("x", "y", "z")])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(ArgumentError, match="`axes` must hold two different names out of g1, g2"):
        layer_schema(3, axes)
