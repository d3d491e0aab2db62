"""A figure that belongs to no window and shows itself at the end of a notebook's cell."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

SCREEN = 120
"""Dots per inch of the picture in a notebook."""


class NotebookFigure(Figure):
    """A matplotlib figure with the picture that notebooks ask objects for."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=SCREEN)
        return picture.getvalue()
