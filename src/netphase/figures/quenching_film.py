"""The film of neurons that are activated one by one, beside the loss and the event log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from netphase._checks import one_of, positive_float
from netphase.errors import ArgumentError
from netphase.figures.animation import CLOCK_FONT, axes_over, readable, still
from netphase.figures.neurons import QUENCHED, cast_of, refuse_other
from netphase.figures.quenching import (
    CONTRIBUTION,
    NETWORK,
    TIME,
    TWIN,
    dot_sizes,
    draw_contributions,
    draw_losses,
    draw_plane,
    largest_contribution,
    unit_directions,
)
from netphase.figures.style import INK, new_figure, style, tidy
from netphase.results import events_of, markers_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes

SIZE = (6.4, 3.6)
"""Inches of a frame, of the shape of screens."""

TRAIL = 16
"""Records that the trail of a neuron reaches back."""

View = Literal["plane", "contribution"]
"""What the left panel shows."""


def quenching_animation(
    result: xr.Dataset, *, view: View | None = None, fps: float = 20.0
) -> FuncAnimation:
    """A film of the neurons while few of them are activated.

    Left, every neuron: by its direction in the plane of the first two inputs, the larger its
    contribution the larger the dot ("plane"), or its contribution against its cosine with the
    target ("contribution"). Right, the error of the network and of its random-feature twin over
    the phases, and the contributions with the event log so far. Neurons that are activated, or
    were so on the way, are in colour.

    Args:
        result: what `netphase.quench` returns; each record after the first is a frame.
        view: what the left panel shows; the plane for a circle of neurons, else contributions.
        fps: frames a second.

    Returns:
        The film: save it with `save_animation`, or show it in a notebook with ``to_jshtml()``.

    Raises:
        ArgumentError: ``result`` is no such record, or an argument is outside its range.

    References:
        Ma, Wu & E (2020), the videos of their code.
    """
    from matplotlib.animation import FuncAnimation

    refuse_other(result, "twin_test_error", "distance", "teacher_cosine")
    circle = int(result["target_sphere"]) == 2
    usual = "plane" if circle else "contribution"
    shown = one_of("view", usual if view is None else view, ("plane", "contribution"))
    rate = positive_float("fps", fps)
    if shown == "plane" and result.sizes["input"] < 2:
        raise ArgumentError("Argument `view` must be 'contribution' for one input only.")
    with style():
        scene = _Scene(result, shown == "plane")
        return FuncAnimation(
            scene.figure,
            scene.show,
            frames=result.sizes["time"] - 1,
            init_func=scene.artists,
            interval=1000.0 / rate,
        )


class _Scene:
    """A still picture of all that does not move, and over it what each moment shows."""

    def __init__(self, result: xr.Dataset, plane: bool) -> None:
        from matplotlib.figure import Figure

        self._result, self._plane, self._cast = result, plane, cast_of(result)
        self._largest = largest_contribution(result)
        self._time = result["time"].values[1:]
        self._p, self._loss = result["p"].values[1:], result["test_error"].values[1:]
        self._twin = result["twin_test_error"].values[1:]
        w = result["w"].values[1:]
        if plane:
            self._x, self._y = np.moveaxis(unit_directions(w)[..., :2], -1, 0)
        else:
            self._x, self._y = result["teacher_cosine"].values[1:], self._p
        static = new_figure(*SIZE)
        static.set_layout_engine("constrained", rect=(0.0, 0.0, 0.985, 1.0))  # dots at the edge
        halves = static.add_gridspec(1, 2, width_ratios=(1.25, 1.0))
        column = halves[1].subgridspec(2, 1)
        left = static.add_subplot(halves[0])
        above, below = (static.add_subplot(column[row]) for row in (0, 1))
        self._neuron_panel(left)
        self._loss_panel(above)
        self._contribution_panel(below)
        static.draw_without_rendering()
        static.set_layout_engine("none")  # or panels would move from frame to frame
        self.figure = Figure(figsize=SIZE)
        self.figure.add_artist(still(static))
        self._neuron_artists(axes_over(self.figure, left))
        over = axes_over(self.figure, above)
        self._dots = [
            over.plot([], [], "o", ms=4.0, color=colour, clip_on=False)[0]
            for colour in (TWIN, NETWORK)
        ]
        self._event_artists(axes_over(self.figure, below))
        self.show(0)

    def _neuron_panel(self, axes: Axes) -> None:
        result = self._result
        if self._plane:
            draw_plane(axes)
        else:
            low, high = float(self._p.min()), float(self._p.max())
            margin = 0.06 * (high - low) or 1.0
            least = min(-0.05, float(self._x.min()) - 0.05)
            axes.axhline(0.0, color=INK, lw=0.4)
            axes.set(
                xlim=(least, 1.05), ylim=(low - margin, high + margin),
                xlabel="cosine with the nearest neuron of the target", ylabel=CONTRIBUTION,
            )  # fmt: skip
            tidy(axes)
        samples = json.loads(result.attrs.get("setting", "{}")).get("samples")
        about = f", {samples} samples" if samples else ""
        title = f"{result.sizes['neuron']} neurons learn: {result.attrs['target']}{about}"
        axes.set_title(title, loc="left", fontsize=7.5)
        axes.set_title(" ", loc="right", y=1.06, **CLOCK_FONT)  # keeps the place of the clock

    def _neuron_artists(self, axes: Axes) -> None:
        cast = self._cast
        self._grey = axes.scatter([], [], color=QUENCHED, lw=0)
        self._trails = [axes.plot([], [], color=c, lw=0.9, alpha=0.6)[0] for c in cast.colours]
        self._bright = axes.scatter([], [], lw=0, zorder=3)
        self._now = axes.set_title("", loc="right", y=1.06, **CLOCK_FONT)

    def _loss_panel(self, axes: Axes) -> None:
        draw_losses(axes, self._result)
        axes.lines[-1].set_zorder(-1)
        axes.set(xlabel="", ylabel="")
        axes.tick_params(labelbottom=False)
        axes.set_title(r"error $\mathbb{E}(f - f^*)^2$", loc="left")
        axes.set_title("random features", loc="right", color=TWIN, fontsize=7.0)

    def _contribution_panel(self, axes: Axes) -> None:
        draw_contributions(axes, self._result, self._cast, logarithmic=True)
        for line in axes.lines:
            line.set_alpha(0.25)
        axes.set(xlabel=TIME, ylabel=r"contribution $p_j$")
        axes.set_title(" ", loc="left")

    def _event_artists(self, axes: Axes) -> None:
        cast = self._cast
        self._lines = [axes.plot([], [], color=colour, lw=1.3)[0] for colour in cast.colours]
        self._words = axes.set_title("", loc="left", y=1.0)
        departure = markers_of(self._result)["departure"]
        since = departure.time if departure.reached else 0.0
        self._events = [event for event in events_of(self._result) if event.time > since]

    def artists(self) -> list[Any]:
        """What changes from frame to frame."""
        return [*self._trails, self._grey, self._bright, *self._dots, *self._lines, self._words,
                self._now]  # fmt: skip

    def show(self, index: int) -> list[Any]:
        """Set every artist to one moment."""
        cast, x, y = self._cast, self._x[index], self._y[index]
        size = dot_sizes(self._p[index], self._largest)
        for dots, who in ((self._grey, cast.others), (self._bright, cast.neurons)):
            dots.set_offsets(np.column_stack([x[who], y[who]]))
            dots.set_sizes(size[who])
        self._bright.set_color(list(cast.colours))
        before = slice(max(0, index - TRAIL), index + 1)
        for trail, line, neuron in zip(self._trails, self._lines, cast.neurons, strict=True):
            trail.set_data(self._x[before, neuron], self._y[before, neuron])
            line.set_data(self._time[: index + 1], self._p[: index + 1, neuron])
        now = float(self._time[index])
        for dot, values in zip(self._dots, (self._twin, self._loss), strict=True):
            dot.set_data([now], [values[index]])
        self._words.set_text(self._so_far(now))
        self._now.set_text(f"t = {readable(now)}")
        return self.artists()

    def _so_far(self, now: float) -> str:
        """How many events there were."""
        past = [event.kind for event in self._events if event.time <= now]
        counts = ((past.count(kind), kind) for kind in ("activation", "deactivation"))
        return ", ".join(f"{count} {kind}{'s' * (count != 1)}" for count, kind in counts)
