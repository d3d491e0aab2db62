"""The grid of results: packing, labels, statuses, what is compared."""

import numpy as np
import pytest
import xarray as xr

from netphase._types import Status
from netphase.errors import ArgumentError
from netphase.results import (
    NOT_RUN,
    PLANE,
    SIZES,
    STATUS_CODES,
    Schema,
    comparable,
    status_words,
)

COORDINATES = {"gamma": (0.5, 1.0), "gamma_prime": (0.0,), "width": (10, 20, 40), "seed": (3,)}


def test_codes_of_statuses_on_disk_never_change():
    assert {status.value: code for status, code in STATUS_CODES.items()} == {
        "converged": 0,
        "time reached": 1,
        "maximum steps": 2,
        "stagnated": 3,
        "diverged": 4,
        "non-finite": 5,
    }
    assert NOT_RUN == -1


def test_every_status_has_a_code():
    assert set(STATUS_CODES) == set(Status)


def test_packing_keeps_large_integers_and_small_floats_exactly():
    row = PLANE.pack({"status": "stagnated", "steps": 2**53 - 1, "relative_change_w": 1e-300})
    assert row[PLANE.column["steps"]] == 2**53 - 1
    assert row[PLANE.column["relative_change_w"]] == 1e-300
    assert row[PLANE.column["status"]] == STATUS_CODES[Status.STAGNATED]
    assert np.isnan(row[PLANE.column["time"]])


def test_packing_refuses_unknown_names_and_a_missing_status():
    with pytest.raises(ArgumentError, match=r"holds loss, which .* does not record"):
        PLANE.pack({"status": "converged", "loss": 1.0})
    with pytest.raises(ArgumentError, match="must hold the status"):
        PLANE.pack({"steps": 1})


def test_a_result_that_is_not_a_number_is_still_a_finished_run():
    rows = np.full((2, len(PLANE.quantities)), np.nan)
    rows[1] = PLANE.pack({"status": "non-finite"})
    assert PLANE.is_done(rows).tolist() == [False, True]


def grid():
    shape = (2, 1, 3, 1, len(PLANE.quantities))
    rows = np.full(shape, np.nan)
    rows[1, 0, 2, 0] = PLANE.pack({"status": "diverged", "steps": 7, "wall_seconds": 0.5})
    return PLANE.dataset(COORDINATES, rows, {"sweep_id": "x"})


def test_a_grid_is_labelled_by_its_axes():
    results = grid()
    assert results["steps"].dims == PLANE.dims
    run = results.sel(gamma=1.0, gamma_prime=0.0, width=40, seed=3)
    assert run["steps"].item() == 7
    assert run["done"].item()
    assert run["status"].item() == STATUS_CODES[Status.DIVERGED]
    assert int(results["done"].sum()) == 1
    assert results.attrs == {"sweep_id": "x"}


def test_status_words_match_the_codes():
    words = status_words(grid()["status"].values)
    assert words[1, 0, 2, 0] == "diverged"
    assert words[0, 0, 0, 0] == "not run"


def test_flag_meanings_line_up_with_flag_values():
    attributes = grid()["status"].attrs
    meanings = dict(
        zip(attributes["flag_values"], attributes["flag_meanings"].split(), strict=True)
    )
    assert meanings[-1] == "not_run"
    for status, code in STATUS_CODES.items():
        assert meanings[code] == status.value.replace(" ", "_")


def test_wall_clock_times_are_provenance_and_not_compared():
    assert [q.name for q in PLANE.quantities if q.provenance] == ["wall_seconds"]
    first, second = grid(), grid()
    second["wall_seconds"] = 2 * second["wall_seconds"]
    second.attrs["git_commit"] = "other"
    xr.testing.assert_identical(comparable(first), comparable(second))
    second["steps"][0, 0, 0, 0] = 1.0
    assert not comparable(first).equals(comparable(second))


@pytest.mark.parametrize("schema", [PLANE, SIZES], ids=["plane", "sizes"])
def test_every_quantity_has_units_and_a_name_in_words(schema):
    names = [quantity.name for quantity in schema.quantities]
    assert len({*names, *schema.dims}) == len(names) + len(schema.dims)
    assert set(schema.plane) <= set(schema.dims)
    assert "status" in names
    for quantity in schema.quantities:
        assert quantity.units
        assert len(quantity.long_name) > 5


@pytest.mark.parametrize("schema", [PLANE, SIZES], ids=["plane", "sizes"])
def test_a_schema_survives_json(schema):
    assert Schema.from_json(schema.to_json()) == schema
    with pytest.raises(ArgumentError, match="not the JSON of a schema"):
        Schema.from_json('{"title": 3}')


def test_runs_of_a_cell_lie_along_the_axes_outside_the_plane():
    assert [PLANE.dims[i] for i in PLANE.inside] == ["width", "seed"]
    assert [SIZES.dims[i] for i in SIZES.inside] == ["seed"]


def test_coordinates_have_the_type_of_their_axis():
    results = SIZES.dataset(
        {"scaling": (0,), "sample": (5,), "width": (2, 3), "seed": (-1,)},
        SIZES.empty((1, 1, 2, 1)),
        {},
    )
    assert results["scaling"].dtype == np.float64
    assert results["width"].dtype == results["seed"].dtype == np.int64
