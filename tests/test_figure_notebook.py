"""Figures show themselves in notebooks."""

from netphase.figures import new_figure


def test_a_notebook_gets_a_picture_of_the_figures_size():
    figure = new_figure(2.0, 1.0)
    figure.add_subplot()
    picture = figure._repr_png_()
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[k : k + 4], "big") for k in (16, 20))
    assert (width, height) == (240, 120)
