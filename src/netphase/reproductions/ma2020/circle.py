"""Fig. 9: neurons activate one by one on a circle target; what is quenched makes it possible."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase import targets
from netphase.figures import new_figure, panel_label, quenching_animation, save_animation
from netphase.figures.style import INK, PAGE, SERIES, style, tidy
from netphase.observables import Plateau, find_plateaus
from netphase.quenching import ablate
from netphase.reproductions.check import Check, at_least, at_most, close, every, untested
from netphase.reproductions.ma2020 import drawing, printed
from netphase.reproductions.ma2020.even_lines import THRESHOLD, regular_lines
from netphase.reproductions.ma2020.students import spaced, student
from netphase.reproductions.reproduction import Stage
from netphase.reproductions.runs import average, in_parallel
from netphase.results import events_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Case = tuple[int, int, int, float]
"""Width, inputs, seed, last iteration."""

FILM = (printed.FILM_WIDTH, printed.FILM_INPUTS)
CHEAP = tuple((m, d, seed, 1e6) for m, d in ((60, 30), (40, 10), (30, 8)) for seed in range(3))
CASES: dict[str, tuple[Case, ...]] = {
    "smoke": ((*FILM, 1, 2.5e6), (30, 8, 0, 4e5)),
    "small": (*((*FILM, seed, 4e6) for seed in range(4)), *CHEAP),
    "paper": (*((*FILM, seed, 4e6) for seed in range(12)), *CHEAP),
}

SHORTEST = math.log10(1.5)
"""Least length of a plateau in powers of ten of time; lower ones are short in the film."""

SPACIOUS = 30
"""Inputs from which on the plane of the circle is a small part of the space."""

NEAR = 0.05
"""How far a plateau's loss may be from the exact one, relatively."""

AMPLITUDE = 0.9982
"""Three equal neurons with amplitudes of their own have this part of the loss of 1/3 each."""

WHERE, EXACT, SUPPORT = "Fig. 9 (film)", "circle plateaus (derived)", "claim 2"


class Found(NamedTuple):
    """A plateau of a run.

    Attributes:
        plateau: where it is.
        lines: on how many evenly spaced lines the activated neurons lie there, 0 if unevenly.
    """

    plateau: Plateau
    lines: int


def run(stage: Stage) -> list[Check]:
    """The circle, from several seeds in several dimensions, and one run without its background.

    Inputs: f* = E_c relu(c·x) over the unit circle; the film's m = 100 and d = 100 to 4e6
    iterations, and cheaper ones with m = 30 to 60 and d = 8 to 30; rate 1/(2m) of the code.
    """
    cases = CASES[stage.size]
    runs = in_parallel(_train, cases)
    found = [stands(run) for run in runs]
    checks = [_plateau(k, found) for k in printed.PLATEAUS]
    checks += _staircase(runs)
    films = [run for run, case in zip(runs, cases, strict=True) if case[:2] == FILM]
    if stage.size == "smoke":
        checks.append(untested("film: activated neurons at three times", WHERE, "3, 5, 6"))
    else:
        checks += _film(films)
        film = quenching_animation(runs[0])
        save_animation(film, stage.folder / "figure9.gif")
    stage.save(_figure(runs[0], found[0]), "figure9")
    return [*checks, *_support(stage, runs[0])]


def _train(case: Case) -> xr.Dataset:
    width, inputs, seed, last = case
    return student(targets.circle(inputs), width, seed, 1 / (2 * width), spaced(last, frames=24))


def stands(run: xr.Dataset) -> list[Found]:
    """The plateaus of a run, and how many even lines its activated neurons lie on.

    Args:
        run: what `netphase.reproductions.ma2020.students.student` returned.

    Returns:
        One a plateau.
    """
    clock, loss = run["iteration"].values[1:], run["test_error"].values[1:]
    p, w = run["p"].values[1:], run["w"].values[1:]
    found = find_plateaus(clock, loss, length=SHORTEST, noise=0.0).plateaus
    middles = [int(np.abs(np.log(clock / each.middle)).argmin()) for each in found]
    return [
        Found(each, regular_lines(p[index], w[index]))
        for each, index in zip(found, middles, strict=True)
    ]


def _plateau(count: int, found: list[list[Found]]) -> Check:
    """All visits of the plateau with so many even lines."""
    exact = printed.PLATEAUS[count]
    losses = [each.plateau.height for few in found for each in few if each.lines == count]
    claim = f"E e² within 5 % of {exact:.3g} on plateaus with {count} even lines"
    if not losses:
        return untested(f"{claim} (not visited)", EXACT, exact, NEAR * exact)
    near = sum(abs(loss / exact - 1) <= NEAR for loss in losses)
    extremes = f"{min(losses):.3e} … {max(losses):.3e}"
    return every(f"{claim} (found {extremes})", EXACT, near, len(losses))


def _staircase(runs: list[xr.Dataset]) -> list[Check]:
    """Neurons activate one after the other."""
    spacious = [run for run in runs if run.sizes["input"] >= SPACIOUS]
    steps = sum(len(_late(run)) >= 1 for run in spacious)
    return [
        every(
            f"runs in d ≥ {SPACIOUS} with an activation after the spreading is over (path norm "
            "below 1.1)",
            WHERE,
            steps,
            len(spacious),
        )
    ]


def _late(run: xr.Dataset) -> list[float]:
    """Times of activations after the path norm has come down to about the target's."""
    norm = run["path_norm"].values
    peak = int(norm.argmax())
    down = peak + np.flatnonzero(norm[peak:] < 1.1)
    if not len(down):
        return []
    since = float(run["time"].values[down[0]])
    return [e.time for e in events_of(run) if e.kind == "activation" and e.time > since]


def _film(runs: list[xr.Dataset]) -> list[Check]:
    """Activated neurons where the film has them; its rate is not documented."""
    (first, early), _, (last, late) = printed.FILM_ACTIVE.items()
    three = [_activated_at(run, first) == early for run in runs]
    ends = [_activated_at(run, last) for run in runs]
    return [
        every(
            f"film: runs with three activated neurons at iteration {first:.0e}",
            WHERE,
            sum(three),
            len(runs),
        ),
        close(
            f"film: activated neurons at iteration {last:.3g} ({', '.join(map(str, ends))}; the "
            "film's one run passes five at 6e5)",
            WHERE,
            late,
            average(ends)[0],
            1.0,
            average(ends)[1],
        ),
    ]


def _activated_at(run: xr.Dataset, iteration: float) -> int:
    """Neurons above the threshold at the last record not after an iteration."""
    clock, p = run["iteration"].values, np.abs(run["p"].values)
    now = p[int(np.searchsorted(clock, iteration, side="right")) - 1]
    return int(np.sum(now > THRESHOLD * now.max()))


def _support(stage: Stage, run: xr.Dataset) -> list[Check]:
    """Without the quenched neurons nothing activates any more; with them it does."""
    words = "quenched neurons deleted at three active ones"
    index = three_active(run)
    if index is None:
        return [untested(f"{words}: later activations", SUPPORT, "0")]
    when = float(run["time"].values[index])
    alone = ablate(run, when, "delete", threshold=THRESHOLD)
    altered = {"quenched neurons deleted": alone}
    if stage.size != "smoke":
        altered["drawn anew"] = ablate(run, when, "redraw", threshold=THRESHOLD)
    stage.save(_ablation_figure(run, altered), "figure9-ablation")
    exact = AMPLITUDE * printed.PLATEAUS[3]
    return [
        at_most(
            "part |f_Q|²/|f|² of the function that quenched neurons carry at three active ones",
            SUPPORT,
            0.01,
            float(run["background_share"].values[index]),
        ),
        close(f"{words}: later activations", SUPPORT, 0.0, alone.attrs["later_activations"], 0.0),
        at_least(
            "the same run intact: later activations",
            SUPPORT,
            2.0,
            alone.attrs["intact_later_activations"],
        ),
        close(
            f"{words}: E e² in the end, that of three optimal neurons (intact: "
            f"{float(run['test_error'][-1]):.3g})",
            SUPPORT,
            exact,
            float(alone["test_error"][-1]),
            0.01 * exact,
        ),
        *_anew(altered.get("drawn anew")),
    ]


def _anew(altered: xr.Dataset | None) -> list[Check]:
    """Fresh neurons in place of the quenched ones: those have been turned before."""
    claim = "quenched neurons drawn anew: fewer later activations than intact, until the same time"
    if altered is None:
        return [untested(claim, SUPPORT, "fewer")]
    later, intact = (altered.attrs[f"{name}later_activations"] for name in ("", "intact_"))
    return [at_most(f"{claim} ({intact})", SUPPORT, intact - 1.0, later)]


def three_active(run: xr.Dataset) -> int | None:
    """The first record after the spreading at which exactly three neurons are activated.

    Args:
        run: what `netphase.reproductions.ma2020.students.student` returned.

    Returns:
        Its index; None where there is none.
    """
    p = np.abs(run["p"].values)
    count = (p > THRESHOLD * p.max(axis=1, keepdims=True)).sum(axis=1)
    norm = run["path_norm"].values
    later = np.flatnonzero((count == 3) & (np.arange(len(p)) > norm.argmax()) & (norm < 1.1))
    return int(later[0]) if len(later) else None


def _figure(run: xr.Dataset, found: list[Found]) -> Figure:
    """The staircase: loss with the exact plateaus, contributions with their events, directions."""
    with style():
        figure = new_figure(PAGE, 3.9)
        panels = figure.subplot_mosaic(
            [["loss", "plane"], ["neurons", "plane"]],
            width_ratios=(1.6, 1.0),
            height_ratios=(1.0, 1.3),
        )
        _loss(panels["loss"], run, found)
        drawing.contributions(panels["neurons"], run)
        panels["loss"].set_xlim(panels["neurons"].get_xlim())
        panels["loss"].tick_params(labelbottom=False)
        drawing.directions(panels["plane"], run, -1)
        for name, label in (("loss", "(a)"), ("neurons", "(b)"), ("plane", "(c) end of the run")):
            panel_label(panels[name], label)
    return figure


def _loss(axes: Axes, run: xr.Dataset, found: list[Found]) -> None:
    clock, loss = run["iteration"].values[1:], run["test_error"].values[1:]
    for index, (count, level) in enumerate(printed.PLATEAUS.items()):
        axes.axhline(level, color=SERIES[2 + index], lw=0.8, ls="--", label=f"{count} even lines")
    axes.loglog(clock, loss, color=INK)
    for each in found:
        part = (clock >= each.plateau.start) & (clock <= each.plateau.end)
        axes.loglog(clock[part], loss[part], color=SERIES[1], lw=2.4, alpha=0.6)
    axes.plot([], [], color=SERIES[1], lw=2.4, alpha=0.6, label="plateaus found")
    axes.set(ylabel=r"$\mathrm{E}\,(f-f^*)^2$", ylim=(1e-5, 0.4))
    axes.legend(loc="upper right")
    tidy(axes)


def _ablation_figure(run: xr.Dataset, altered: Mapping[str, xr.Dataset]) -> Figure:
    """Loss with and without what was quenched."""
    with style():
        figure = new_figure(PAGE / 2, 2.6)
        axes = figure.add_subplot()
        per_time = float(run["iteration"].values[-1] / run["time"].values[-1])
        axes.loglog(run["iteration"][1:], run["test_error"][1:], color=SERIES[0], label="intact")
        for index, (label, alone) in enumerate(altered.items()):
            clock = alone["time"].values * per_time
            axes.loglog(clock, alone["test_error"], color=SERIES[index + 1], label=label,
                        ls=("-", "--")[index])  # fmt: skip
        axes.axvline(clock[0], color=INK, lw=0.6, ls=(0, (1, 2)))
        axes.set(xlabel="iteration", ylabel=r"$\mathrm{E}\,(f-f^*)^2$", ylim=(1e-5, 0.4))
        axes.set_xlim(1.0, float(run["iteration"][-1]))
        axes.legend(loc="lower left")
        tidy(axes)
    return figure
