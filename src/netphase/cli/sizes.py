"""``netphase diagram --plane size``: test error over width and sample size, and its front."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netphase.cli.methods import chosen_method
from netphase.cli.options import joined
from netphase.cli.planes import Plane
from netphase.cli.size_report import SizeReport
from netphase.cli.stages import ROUNDING, given
from netphase.cli.values import POSITIVE, SAMPLES, SCALINGS

if TYPE_CHECKING:
    from netphase.sweep import SizeSweep

FOLDER = Path("netphase-sizes")
"""Where the output goes if no folder is asked for."""


class Sizes(NamedTuple):
    """Sample sizes, widths and seeds of a map."""

    samples: tuple[int, ...]
    widths: tuple[int, ...]
    seeds: tuple[int, ...]


PAPER = Sizes(
    (50, 90, 160, 280, 500),
    (3, 5, 9, 16, 28, 50, 90, 160, 280, 500, 2400),
    (0, 1, 2),
)
"""The range of the heat maps of Ma, Wu & E (2020), coarser; every n is a width, too."""

QUICK = Sizes((50, 100, 200), (3, 8, 20, 50, 100, 200), (0, 1, 2))
"""The coarser map of --quick."""

TARGET = "single_neuron?d=20"
"""The teacher of the paper's heat maps."""

TOLERANCE = 1e-7
"""Mean square error at which the paper's heat maps stop."""


size_options = joined(
    click.option(
        "--samples",
        type=SAMPLES,
        metavar="LIST",
        help="Size plane: numbers n of samples, 50 to 500 by default.",
    ),
    click.option(
        "--target",
        metavar="NAME",
        help="Size plane: the teacher: 'single_neuron?d=20' (the default), "
        "'finite_neurons?d=19&units=5', circle, 'sphere?k=3', linear.",
    ),
    click.option(
        "--scaling",
        type=SCALINGS,
        help="Size plane: conventional (κ = 1), mean_field (κ = 1/m), or γ of κ = m^(−γ); "
        "with commas, both by default.",
    ),
    click.option(
        "--inputs",
        type=click.Choice(["gaussian", "sphere"]),
        help="Size plane: x ~ N(0, I), the default, or even on the unit sphere.",
    ),
    click.option(
        "--time",
        type=POSITIVE,
        help="Size plane, layers: end the runs at this time t of the gradient flow, too; "
        "default: no such end. Networks too narrow for a circle creep for very long.",
    ),
)
"""The options of the size plane."""


def size_plane(ctx: click.Context, options: dict[str, Any]) -> Plane:
    """The plane the options describe.

    Args:
        ctx: the call, which knows what stands on the command line.
        options: values of the options of ``netphase diagram``.

    Raises:
        click.UsageError: options of the method contradict each other.
        ArgumentError: a value is outside its domain.
    """
    from netphase.dynamics import Adam
    from netphase.sweep import SizeSweep, run_size_sweep

    grid = QUICK if options["quick"] else PAPER
    method = chosen_method(options)
    assert not isinstance(method, Adam)  # which is refused for every plane
    sweep = SizeSweep(
        widths=options["widths"] or grid.widths,
        samples=options["samples"] or grid.samples,
        seeds=options["seeds"] if given(ctx, "seeds") else grid.seeds,
        scalings=options["scaling"] or (0.0, 1.0),
        target=TARGET if options["target"] is None else options["target"],
        inputs=options["inputs"] or "gaussian",
        method=method,
        mean_square=options["tolerance"] if given(ctx, "tolerance") else TOLERANCE,
        time=options["time"],
        dtype=options["dtype"],
    )
    return Plane(run_size_sweep, sweep, SizeReport, _weaknesses(sweep), FOLDER)


def _weaknesses(sweep: SizeSweep) -> list[str]:
    """Sentences on what makes a map weak."""
    import numpy as np

    from netphase import targets
    from netphase.analysis.sizes import FEW_SEEDS

    found = []
    if len(sweep.seeds) < FEW_SEEDS:
        found.append("Fewer than three seeds give a front without an error: add --seeds.")
    if min(len(sweep.samples), len(sweep.widths)) < 2:
        found.append("One sample size or one width is no map: no figure is drawn.")
    size = max(1.0, targets.load(sweep.target).square(sweep.inputs))
    least = ROUNDING * float(np.finfo(sweep.dtype).eps) ** 2 * size
    if sweep.mean_square < least:
        found.append(
            f"A mean square error of {sweep.mean_square:g} is near the rounding of {sweep.dtype}: "
            f"many runs will not reach it. Use a --tolerance of {least:.0e} or more."
        )
    return found
