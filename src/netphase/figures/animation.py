"""The film of a network that condenses: its neurons in the plane of orientation and amplitude."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from netphase._checks import one_of, positive_float
from netphase._types import Array
from netphase.figures.condensation import DIRECTIONS, EFFECTIVE, clock_of, refuse_other
from netphase.figures.style import INK, SERIES, new_figure, plain_ticks, style, tidy
from netphase.figures.views import view_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.animation import FuncAnimation
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POSITIVE, NEGATIVE = SERIES[0], SERIES[1]
"""Colours of neurons with a > 0 and a < 0."""

SIZE = (6.4, 3.6)
"""Inches of a frame, of the shape of screens."""

MOST_NEURONS, MOST_TRAILS, TRAIL = 2000, 400, 7
"""Most neurons drawn; most of them with a trail; moments that a trail reaches back."""

CLOCK_FONT: dict[str, Any] = {"fontsize": 11.0, "fontweight": "bold"}


def condensation_animation(
    result: xr.Dataset,
    *,
    amplitude: Literal["log", "linear"] = "log",
    fps: float = 20.0,
) -> FuncAnimation:
    """A film of the neurons of a network while it condenses.

    Left, every neuron by its orientation and its amplitude |a|‖w‖, blue where a > 0 and orange
    where a < 0, with a trail of the last moments; predicted directions are vertical lines in the
    colour of the neurons that belong there. Right, the loss, the number of directions in use, and
    for data of one input the function, at the same moment.

    Args:
        result: what `netphase.condense` returns; each moment is a frame.
        amplitude: axis of the amplitude, in units of its initial root mean square.
        fps: frames a second.

    Returns:
        The film: save it with `save_animation`, or show it in a notebook with ``to_jshtml()``.

    Raises:
        ArgumentError: ``result`` lacks a variable or holds one moment only, or an argument is
            outside its range.
    """
    from matplotlib.animation import FuncAnimation

    names = ("a", "w", "copy", "mean_square", "direction_clusters", "effective_number")
    refuse_other("result", result, (*names, "predicted_direction", "initial_stage_end"))
    scale = one_of("amplitude", amplitude, ("log", "linear"))
    rate = positive_float("fps", fps)
    with style():
        scene = _Scene(result, logarithmic=scale == "log")
        return FuncAnimation(
            scene.figure,
            scene.show,
            frames=result.sizes["time"],
            init_func=scene.artists,
            interval=1000.0 / rate,
        )


def still(static: Figure) -> Artist:
    """A figure as one picture, drawn once a resolution: what does not move costs nothing.

    Args:
        static: what does not move, with its layout made.

    Returns:
        An artist for a figure of the same size.
    """
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    class Still(Artist):
        def __init__(self) -> None:
            super().__init__()
            self.set_zorder(-1)
            self._pictures: dict[float, Any] = {}

        def draw(self, renderer: Any) -> None:
            root: Any = self.get_figure(root=True)
            dots = float(root.dpi)
            if dots not in self._pictures:
                static.set_dpi(dots)
                canvas: Any = FigureCanvasAgg(static)  # its methods have no annotations
                canvas.draw()
                self._pictures[dots] = np.array(canvas.buffer_rgba())[::-1]
            renderer.draw_image(renderer.new_gc(), 0, 0, self._pictures[dots])

    return Still()


def axes_over(figure: Figure, static: Axes) -> Axes:
    """Axes without a frame exactly over static ones.

    Args:
        figure: where to add them, of the size of the static figure.
        static: axes whose layout is made.

    Returns:
        The new axes, with the same place, scales and limits.
    """
    axes = figure.add_axes(static.get_position().bounds)
    axes.set(xscale=static.get_xscale(), yscale=static.get_yscale())
    axes.set(xlim=static.get_xlim(), ylim=static.get_ylim())
    axes.set_axis_off()
    axes.set_title("", y=1.0)  # a place of its own: to look for one takes longer than all else
    return axes


class _Scene:
    """A still picture of all that does not move, and over it what each moment shows."""

    def __init__(self, result: xr.Dataset, logarithmic: bool) -> None:
        from matplotlib.figure import Figure

        self._result = result
        self._time, self._clock, self._logarithmic_time = clock_of(result)
        self._neurons(result)
        static = new_figure(*SIZE)
        panels = 3 if "function" in result else 2
        halves = static.add_gridspec(1, 2, width_ratios=(1.65, 1.0))
        column = halves[1].subgridspec(panels, 1)
        left = static.add_subplot(halves[0])
        above, middle = (static.add_subplot(column[row]) for row in (0, 1))
        self._neuron_panel(left, logarithmic)
        self._loss_panel(above)
        self._number_panel(middle)
        below = static.add_subplot(column[2]) if "function" in result else None
        if below is not None:
            self._function_panel(below)
        static.draw_without_rendering()
        static.set_layout_engine("none")  # or panels would move from frame to frame
        self.figure = Figure(figsize=SIZE)
        self.figure.add_artist(still(static))
        self._neuron_artists(axes_over(self.figure, left))
        over = axes_over(self.figure, above)
        self._loss_dot = over.plot([], [], "o", ms=4.5, color=INK, clip_on=False)[0]
        self._number_artists(axes_over(self.figure, middle))
        self._curve = None
        if below is not None:
            self._curve = axes_over(self.figure, below).plot([], [], color=INK, lw=1.3)[0]
        self.show(0)

    def _neurons(self, result: xr.Dataset) -> None:
        """Signs, coordinates and amplitudes of the neurons that are drawn, shape (t, m)."""
        first = np.flatnonzero(result["copy"].values == 0)
        self._all = len(first)
        a, w = result["a"].values[:, first], result["w"].values[:, first]
        norm = np.linalg.norm(w, axis=2)
        size = np.abs(a) * norm  # (t, m)
        self._unit = float(np.sqrt(np.mean(size[0] ** 2))) or 1.0
        direction = np.divide(w, norm[..., None], out=np.zeros_like(w), where=norm[..., None] > 0)
        predicted = result["predicted_direction"].values
        self._view = view_of(direction[-1], size[-1], predicted)
        strongest = np.argsort(-size.max(axis=0), kind="stable")[:MOST_NEURONS]
        self._place = self._view.place(direction[:, strongest])
        self._size = size[:, strongest] / self._unit
        self._positive = a[:, strongest] > 0
        self._marks = self._view.place(predicted)

    def _neuron_panel(self, axes: Axes, logarithmic: bool) -> None:
        view, size = self._view, self._size
        axes.set(
            xlim=view.limits,
            xlabel=view.label,
            ylabel=r"amplitude $|a|\,\|w\|$ / initial rms",
            yscale="log" if logarithmic else "linear",
        )
        axes.set_xticks(list(view.ticks), list(view.ticks.values()))
        top = float(size.max())
        low = float(np.quantile(size[0], 0.02)) / 2 if logarithmic else -0.03 * top
        axes.set_ylim(low, top * (top / low) ** 0.12 if logarithmic else 1.12 * top)
        self._floor = low
        if logarithmic:
            plain_ticks(axes)
        else:
            axes.yaxis.set_major_formatter(lambda value, _: tick(value))
        self._draw_marks(axes)
        for colour, words in ((POSITIVE, "$a > 0$"), (NEGATIVE, "$a < 0$")):
            axes.plot([], [], ls="none", marker="o", ms=3.5, color=colour, label=words)
        if len(self._marks):
            axes.plot([], [], ls="--", color=INK, lw=1.0, label="predicted directions")
        axes.legend(loc="upper center", ncols=3, columnspacing=1.2)
        shown, name = size.shape[1], self._result.attrs.get("activation", "")
        words = f"{self._all} {name} neuron{'s' if self._all != 1 else ''}"
        words += f", {shown} shown" if shown < self._all else ""
        axes.set_title(words, loc="left")
        axes.set_title(" ", loc="right", **CLOCK_FONT)  # keeps the place of the clock
        tidy(axes)

    def _neuron_artists(self, axes: Axes) -> None:
        self._trails = [
            axes.plot([], [], color=colour, lw=0.6, alpha=alpha)[0]
            for alpha in np.linspace(0.5, 0.1, TRAIL)
            for colour in (POSITIVE, NEGATIVE)
        ]
        self._dots = [
            axes.plot([], [], "o", ms=2.6, mew=0.0, alpha=0.85, color=colour)[0]
            for colour in (POSITIVE, NEGATIVE)
        ]
        self._now = axes.set_title("", loc="right", y=1.0, **CLOCK_FONT)

    def _draw_marks(self, axes: Axes) -> None:
        """Vertical lines at the predicted directions, in the colour of their neurons."""
        signs = self._result["predicted_sign"].values
        for place, sign in zip(self._marks, signs, strict=True):
            colour = POSITIVE if sign > 0 else NEGATIVE
            edge = self._view.periodic and abs(abs(place) - math.pi) < 1e-6
            for end in (-math.pi, math.pi) if edge else (place,):
                axes.axvline(end, 0.0, 0.9, color=colour, ls="--", lw=1.0)

    def _loss_panel(self, axes: Axes) -> None:
        values = self._result["mean_square"].values / 2
        self._loss = values
        axes.plot(self._time, values, color=INK, lw=1.2)
        falls = np.log10(values.max() / max(float(values.min()), 1e-300)) > 1
        axes.set(yscale="log" if falls else "linear")
        axes.set_title("loss", loc="left")
        self._time_axis(axes)
        axes.set(xlabel="")
        axes.tick_params(labelbottom=False)

    def _number_panel(self, axes: Axes) -> None:
        self._count = self._result["direction_clusters"].values
        self._number = self._result["effective_number"].values
        axes.set(yscale="log", ylim=(0.8, max(2.2, 1.3 * float(np.nanmax(self._count)))))
        axes.yaxis.set_major_formatter("{x:g}")
        plain_ticks(axes)
        axes.set_title(" ", loc="left")
        self._time_axis(axes)

    def _number_artists(self, axes: Axes) -> None:
        colours = (DIRECTIONS, EFFECTIVE)
        self._lines = [axes.plot([], [], color=colour, lw=1.2)[0] for colour in colours]
        self._numbers = (
            axes.set_title("", loc="left", y=1.0, color=colours[0]),
            axes.set_title("", loc="right", y=1.0, color=colours[1]),
        )

    def _function_panel(self, axes: Axes) -> None:
        result = self._result
        x, y, curves = result["x"].values[:, 0], result["y"].values, result["function"].values
        self._grid, self._functions = result["grid"].values, curves
        axes.plot(x, y, ls="none", marker="o", ms=2.4, mfc="#bbbbbb", mew=0.0)
        low, high = min(y.min(), curves[-1].min()), max(y.max(), curves[-1].max())
        margin = 0.08 * (high - low) or 1.0
        axes.set(
            xlim=(self._grid[0], self._grid[-1]), ylim=(low - margin, high + margin),
            xlabel=r"input $x$",
        )  # fmt: skip
        axes.set_title("function and data", loc="left")
        tidy(axes)

    def _time_axis(self, axes: Axes) -> None:
        """The time axis of a panel on the right."""
        if self._logarithmic_time:
            axes.set_xscale("log")
        start = self._time[1] if self._logarithmic_time else self._time[0]
        axes.set(xlim=(start, self._time[-1]), xlabel=self._clock.partition("(")[0])
        tidy(axes)

    def artists(self) -> list[Any]:
        """What changes from frame to frame."""
        found = [*self._trails, *self._dots, self._loss_dot, *self._lines, self._now]
        return [*found, *self._numbers, *([self._curve] if self._curve is not None else [])]

    def show(self, index: int) -> list[Any]:
        """Set every artist to one moment."""
        place, size = self._place[index], np.maximum(self._size[index], self._floor)
        for dots, mine in zip(
            self._dots, (self._positive[index], ~self._positive[index]), strict=True
        ):
            dots.set_data(place[mine], size[mine])
        self._set_trails(index)
        until, now = slice(0, index + 1), self._time[index]
        start = self._time[1] if self._logarithmic_time else now
        self._loss_dot.set_data([max(now, start)], [self._loss[index]])
        for line, values in zip(self._lines, (self._count, self._number), strict=True):
            line.set_data(self._time[until], values[until])
        count = int(self._count[index])
        self._numbers[0].set_text(f"{count} direction{'s' if count != 1 else ''}")
        self._numbers[1].set_text(f"effective {self._number[index]:.1f}")
        if self._curve is not None:
            self._curve.set_data(self._grid, self._functions[index])
        self._now.set_text(reading(self._result, float(now)))
        return self.artists()

    def _set_trails(self, index: int) -> None:
        """Where the strongest neurons were in the last moments, fading away."""
        for age in range(TRAIL):
            now, before = max(0, index - age), max(0, index - age - 1)
            ends = [now, before]
            x = self._place[ends, :MOST_TRAILS]
            y = np.maximum(self._size[ends, :MOST_TRAILS], self._floor)
            positive = self._positive[now, :MOST_TRAILS]
            whole = np.ones_like(positive)
            if self._view.periodic:  # no line through the picture for a step across its edge
                whole = np.abs(x[1] - x[0]) < math.pi
            for line, mine in zip(
                self._trails[2 * age : 2 * age + 2], (positive, ~positive), strict=True
            ):
                line.set_data(_pieces(x[:, mine & whole]), _pieces(y[:, mine & whole]))


def _pieces(ends: Array) -> Array:
    """Lines from first to second row, shape (2, k), as one broken line, shape (3 k,)."""
    return np.vstack([ends, np.full((1, ends.shape[1]), np.nan)]).T.ravel()


def reading(result: xr.Dataset, now: float) -> str:
    """The clock of a record in words: "λt = 3.10", "t = 127" or "step 50".

    Args:
        result: what `netphase.condense` returns.
        now: a time as `clock_of` gives it.

    Returns:
        The text.
    """
    if "raw_time" not in result.variables:
        return f"step {now:.0f}"
    return f"{'λt' if 'growth_rate' in result else 't'} = {readable(now)}"


def tick(value: float) -> str:
    """A round number as an axis writes it.

    Args:
        value: the number.

    Returns:
        The text.

    Example:
        >>> [tick(value) for value in (0.0, 0.5, 2000.0, 5e5, 1.5e6)]
        ['0', '0.5', '2000', '5·10⁵', '1.5·10⁶']
    """
    if abs(value) < 1e4:
        return f"{value:g}".replace("-", "−")
    power = math.floor(math.log10(abs(value)))
    return f"{value / 10.0**power:g}·10{_raised(power)}".replace("-", "−")


def readable(value: float) -> str:
    """A reading of a clock in about three digits.

    Args:
        value: the reading, ≥ 0.

    Returns:
        The text.

    Example:
        >>> [readable(value) for value in (0.0, 0.418, 3.1, 127.3, 3.21e7)]
        ['0', '0.42', '3.10', '127', '3.2·10⁷']
    """
    if value == 0.0:
        return "0"
    power = math.floor(math.log10(value))
    if -3 < power < 4:
        return f"{value:.{max(0, min(2, 2 - power))}f}"
    return f"{value / 10.0**power:.1f}·10{_raised(power)}"


def _raised(power: int) -> str:
    """An exponent in raised digits."""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
