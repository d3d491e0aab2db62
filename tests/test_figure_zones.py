"""Figures of the initial stage: zones, maps of the alignment, and its length."""

import itertools

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from netphase import scalings
from netphase.errors import ArgumentError
from netphase.figures import Window, alignment_maps, break_down_times, zone_diagram
from netphase.figures.zones import ZONE_COLOURS
from netphase.scalings import Zone

GAMMA, GAMMA_PRIME = (0.5, 1.0, 1.5, 2.0), (-1.0, -0.5, 0.0, 0.5, 1.0)


def plane():
    """The plane by the law, with one cell undetermined."""
    cells = list(itertools.product(GAMMA_PRIME, GAMMA))
    law = [scalings.predicted_exponents(g, p) for p, g in cells]
    shape = (len(GAMMA_PRIME), len(GAMMA))
    zones = np.array([scalings.zone_at(g, p).value for p, g in cells], dtype="U16").reshape(shape)
    zones[4, 3] = "undetermined"
    axes = ("gamma_prime", "gamma")
    return xr.Dataset(
        {
            "exponent": (("block", *axes), np.moveaxis(np.reshape(law, (*shape, 3)), -1, 0)),
            "zone": (axes, zones),
            "alignment_ratio": (axes, np.linspace(0.5, 1.0, len(cells)).reshape(shape)),
        },
        coords={
            "block": ["w", "a", "theta"],
            "gamma": list(GAMMA),
            "gamma_prime": list(GAMMA_PRIME),
        },
    )


def meshes(figure):
    """The coloured cells of each panel, in order."""
    found = [axes.collections[0] for axes in figure.axes if axes.get_xlabel().startswith("$\\g")]
    return [mesh for mesh in found if mesh.get_array() is not None]


def test_zones_have_their_colours_and_the_legend_names_those_there_are():
    figure = zone_diagram(plane())
    codes = np.ma.asarray(meshes(figure)[0].get_array()).reshape(5, 4)
    for (i, row), (j, gamma) in itertools.product(enumerate(GAMMA_PRIME), enumerate(GAMMA)):
        if (i, j) == (4, 3):
            assert codes.mask[i, j]
            continue
        colour = ZONE_COLOURS[scalings.zone_at(gamma, row)]
        assert list(ZONE_COLOURS.values())[int(codes[i, j])] == colour
        assert to_hex(colour) == colour
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    for zone in Zone:
        assert any(text.startswith(f"{zone.value}: ") for text in words), zone
    assert "undetermined" in words
    assert any("exact" in text for text in words)


def test_the_small_maps_hold_the_exponents_and_the_alignment():
    data = plane()
    figure = zone_diagram(data.transpose("gamma", ...).isel(gamma=[2, 0, 3, 1]))
    found = [np.asarray(mesh.get_array()).reshape(5, 4) for mesh in meshes(figure)]
    for values, block in zip(found[1:4], ("w", "a", "theta"), strict=True):
        np.testing.assert_allclose(values, data.exponent.sel(block=block))
    np.testing.assert_allclose(found[4], data.alignment_ratio)


def test_a_plane_without_alignment_is_drawn_empty():
    data = plane()
    data["alignment_ratio"][:] = np.nan
    figure = zone_diagram(data)
    assert np.ma.asarray(meshes(figure)[4].get_array()).mask.all()


def test_maps_of_the_alignment_share_their_colours():
    ratio = plane()["alignment_ratio"]
    figure = alignment_maps({"networks": ratio, "equations": ratio * 0.9})
    limits = {mesh.get_clim() for mesh in meshes(figure)}
    assert limits == {(0.45, 1.0)}
    assert [axes.get_title("left") for axes in figure.axes[:2]] == ["(a) networks", "(b) equations"]
    with pytest.raises(ArgumentError, match="at least one map"):
        alignment_maps({})
    with pytest.raises(ArgumentError, match="dimensions gamma_prime and gamma"):
        alignment_maps({"a row": ratio[0]})


def test_lengths_of_the_stage_are_drawn_on_a_plain_and_a_logarithmic_axis():
    widths = np.array([1e3, 1e4, 1e5])
    window = Window(widths, np.log(widths) * np.ones((2, 1)), widths, np.log(widths), widths**0)
    figure = break_down_times({"here": window}, {"there": window}, delta=0.2)
    left, right = figure.axes
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")
    assert "0.2" in left.get_ylabel()
    np.testing.assert_allclose(left.lines[0].get_ydata(), np.log(widths))
    with pytest.raises(ArgumentError, match="`power` must hold at least one curve"):
        break_down_times({"here": window}, {})
