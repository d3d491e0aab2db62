"""What all figures share: sizes, fonts, colours, labels, and the function that saves them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netphase._files import write_whole
from netphase.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN = 3.5
"""Width of one journal column, in inches."""

PAGE = 7.1
"""Width of a full page (two columns), in inches."""

RESOLUTION = 200
"""Dots per inch of saved raster images."""

INITIAL = "#56b4e9"
"""Colour of the network before training."""

FINAL = "#d55e00"
"""Colour of the network after training."""

INK = "#222222"
"""Colour of lines and text that carry no data."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Colours of curves, distinguishable with every common colour vision deficiency."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Markers of curves, so that no curve is told by its colour alone."""

DASHED = (0, (4, 2))
"""Dashes of lines that are predicted rather than measured."""

EXPONENT_LABELS = {
    "w": r"exponent $S_w$  (from $\mathrm{RD}(\theta_w) \propto m^{S_w}$)",
    "a": r"exponent $S_a$  (from $\mathrm{RD}(\theta_a) \propto m^{S_a}$)",
    "theta": r"exponent $S_\theta$  (from $\mathrm{RD}(\theta) \propto m^{S_\theta}$)",
}
"""Axis labels of the three exponents."""

CHANGE_LABELS = {
    "w": r"$\mathrm{RD}(\theta_w)$",
    "a": r"$\mathrm{RD}(\theta_a)$",
    "theta": r"$\mathrm{RD}(\theta)$",
}
"""Axis labels of the three relative changes."""

GAMMA = r"$\gamma$"
GAMMA_PRIME = r"$\gamma^{\prime}$"

GAMMA_AXIS = rf"{GAMMA}  (from $\kappa = \beta_1\beta_2/\alpha = m^{{-\gamma}}$)"
GAMMA_PRIME_AXIS = (
    rf"{GAMMA_PRIME}  (from $\kappa^{{\prime}} = \beta_1/\beta_2 = m^{{-\gamma^{{\prime}}}}$)"
)

_SETTINGS: Any = {
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.pad": 5.0,  # minor ticks are shorter by 1.5: labels of both stand in one line
    "ytick.minor.pad": 5.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "path",
    "svg.hashsalt": "netphase",
}


@contextmanager
def style() -> Iterator[None]:
    """Netphase's matplotlib settings inside a ``with`` block; the user's come back after it."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """An empty figure that belongs to no window.

    Args:
        width: width in inches.
        height: height in inches.
        title: a line above all panels.

    Returns:
        A figure with constrained layout, which needs no ``close`` and shows itself in notebooks.
    """
    from netphase.figures.notebook import NotebookFigure

    figure = NotebookFigure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=8.0)
    return figure


def tidy(axes: Axes) -> None:
    """Remove the upper and right frame lines of an axes that holds curves."""
    axes.spines[["top", "right"]].set_visible(False)


def plain_ticks(axes: Axes) -> None:
    """Label the logarithmic axes that span a decade at most by plain numbers, as 60, 100, 200."""
    from netphase.figures.ticks import label_narrow_log

    for axis in (axes.xaxis, axes.yaxis):
        label_narrow_log(axis)


def panel_label(axes: Axes, text: str) -> None:
    """Write a short bold label such as "(a)" above the upper left corner of an axes."""
    axes.set_title(text, loc="left", fontweight="bold")


def save(figure: Figure, stem: str | Path, formats: tuple[str, ...] = ("pdf", "png")) -> list[Path]:
    """Write a figure to one file a format: vector for print, 200-dpi PNG for the screen.

    The files carry no date, so the same figure gives the same bytes.

    Args:
        figure: what to save.
        stem: path without suffix; missing folders are made.
        formats: any of "pdf", "svg", "png".

    Returns:
        The paths written, one a format, in the order of ``formats``.

    Raises:
        ArgumentError: a format is not among the three.
        OSError: the disk is full or the folder cannot be written; no half-written file is left.
    """
    metadata: dict[str, dict[str, Any]] = {
        "pdf": {"CreationDate": None},
        "svg": {"Date": None},
        "png": {},
    }
    for name in formats:
        if name not in metadata:
            raise ArgumentError(
                f"Argument `formats` may hold 'pdf', 'svg' and 'png', but holds {name!r}."
            )
    base = Path(stem)
    base.parent.mkdir(parents=True, exist_ok=True)
    paths = [base.with_name(f"{base.name}.{name}") for name in formats]
    with style():
        for path, name in zip(paths, formats, strict=True):
            page = io.BytesIO()
            figure.savefig(page, format=name, dpi=RESOLUTION, metadata=metadata[name])
            write_whole(path, page.getvalue())
    return paths
