"""Which runs a phase diagram is made of: the grids, data and stops of its two stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from netphase.cli.methods import chosen_method

if TYPE_CHECKING:
    from netphase.activations import Activation
    from netphase.datasets import Dataset
    from netphase.experiment import Experiment
    from netphase.sweep import Sweep
    from netphase.sweep.grid import Gauge


class Grid(NamedTuple):
    """A plane and its widths."""

    gamma: tuple[float, ...]
    gamma_prime: tuple[float, ...]
    widths: tuple[int, ...]


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    """Evenly spaced numbers, both ends included."""
    return tuple(first + k * step for k in range(round((last - first) / step) + 1))


PAPER = Grid(
    (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4),
    (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4),
    (1000, 5000, 10000, 20000, 40000),
)
"""The grid of Fig. 4 of Luo et al. (2021)."""

QUICK = Grid(
    (0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4), (-0.4, -0.2, 0.0, 0.2, 0.4), (500, 1000, 2000, 4000)
)
"""The coarser grid of --quick."""

ZONES = Grid(_steps(0.5, 2.0, 0.125), _steps(-1.0, 1.0, 0.25), (1000, 4000, 16000, 64000))
"""The grid of the initial stage, with all four zones."""

QUICK_ZONES = Grid(_steps(0.5, 2.0, 0.25), _steps(-1.0, 1.0, 0.5), (500, 1000, 2000, 4000))
"""The coarser grid of the initial stage."""

PART = 0.5
"""Share of what a linear fit explains that is learnt where the initial stage is read."""

LARGEST_WIDTH = 10**9
"""Wider networks do not fit into any memory."""

LINEAR = 0.5
"""Standard deviation β2 of the input weights up to which smooth activations start linear."""

SMALL_WIDTH = 100
"""Below this width the law of infinite width says little."""

ROUNDING = 1e3
"""Mean square errors below so many times the square of the machine precision are rarely reached."""


def given(ctx: click.Context, name: str) -> bool:
    """Whether an option stands on the command line, as opposed to having its default."""
    return ctx.get_parameter_source(name) not in (ParameterSource.DEFAULT, None)


def stage_of(options: dict[str, Any]) -> str:
    """The stage asked for, "initial" or "final", or the one that suits the activation.

    Args:
        options: values of the options of ``netphase diagram``.

    Raises:
        click.UsageError: the initial stage is asked for where there is none.
        ArgumentError: the activation is unknown.
    """
    from netphase import activations

    sigma = activations.get(options["activation"])
    reason = without_initial_stage(sigma)
    if options["stage"] == "initial" and reason:
        raise click.UsageError(f"--stage initial is not for {sigma.name}: {reason}")
    return options["stage"] or ("final" if reason else "initial")


def without_initial_stage(sigma: Activation) -> str:
    """Why an activation has no linear initial stage, in a sentence; empty if it has one."""
    import numpy as np

    if not sigma.smooth or sigma.multiplicity is None:
        return "its kink at zero keeps small networks from being linear. Use --stage final."
    if sigma.multiplicity > 1:
        return (
            f"its multiplicity is {sigma.multiplicity}, so small networks are no linear functions "
            "and escape in a finite time that depends on their largest neuron, without the "
            "power laws of this plane. Use --stage final, or `netphase condense`."
        )
    start = float(sigma.value(np.zeros(1))[0])
    if start != 0:
        return (
            f"σ(0) = {start:.4g}, so that the output weights fit a constant first. Use the centred "
            f"one, --activation centred_{sigma.name}, or --stage final."
        )
    return ""


def sweep_of(ctx: click.Context, options: dict[str, Any]) -> Sweep:
    """The sweep the options describe.

    Args:
        ctx: the call, which knows what stands on the command line.
        options: values of the options of ``netphase diagram``.

    Returns:
        The sweep.

    Raises:
        click.UsageError: one width only, or options that exclude each other.
        ArgumentError: a value is outside its domain, or the data are not usable.
    """
    from netphase.experiment import Experiment
    from netphase.scalings import ScalingLaw
    from netphase.sweep import Sweep

    stage = stage_of(options)
    _refuse_other_stage(ctx, stage)
    data = data_of(ctx, options, stage)
    grid = grid_of(options, stage)
    _refuse_widths(grid.widths)
    base = Experiment(
        law=ScalingLaw.mean_field(),
        width=grid.widths[0],
        activation=options["activation"],
        data=data,
        antisymmetric=options["antisymmetric"],
        method=chosen_method(options),
        dtype=options["dtype"],
        mean_square=_target(data, options, stage),
    )
    gauge: Gauge = options["gauge"] or ("alpha" if stage == "initial" else "beta1")
    return Sweep(base=base, **grid._asdict(), seeds=options["seeds"], gauge=gauge)


def refuse_one_width(widths: tuple[int, ...]) -> None:
    """Refuse a single width.

    Raises:
        click.UsageError: there is no slope.
    """
    if len(widths) < 2:
        raise click.UsageError(
            f"One width ({widths[0]}) gives no slope: give two or more, as in --widths 1000,4000."
        )


def _refuse_widths(widths: tuple[int, ...]) -> None:
    """Refuse a single width, and networks that no memory holds.

    Raises:
        click.UsageError: the widths are such.
    """
    refuse_one_width(widths)
    if widths[-1] > LARGEST_WIDTH:
        raise click.UsageError(
            f"Networks of {widths[-1]:.3g} neurons cannot be trained: give --widths of at most "
            f"{LARGEST_WIDTH:.0e}, or draw the infinite-width diagram with --exact."
        )


def _refuse_other_stage(ctx: click.Context, stage: str) -> None:
    """Refuse options that mean nothing in this stage.

    Raises:
        click.UsageError: there is one.
    """
    other, remedy = {
        "initial": ("tolerance", "--part says where it ends, or choose --stage final"),
        "final": ("part", "--tolerance says where it ends, or choose --stage initial"),
    }[stage]
    if given(ctx, other):
        raise click.UsageError(f"--{other} means nothing in the {stage} stage: {remedy}.")


def data_of(ctx: click.Context, options: dict[str, Any], stage: str) -> Dataset:
    """The data asked for, or those that suit the stage.

    Raises:
        ArgumentError: they are not usable.
    """
    from netphase.datasets import load

    own = given(ctx, "data") or stage == "final"
    return load(options["data"] if own else "linear")


def grid_of(options: dict[str, Any], stage: str) -> Grid:
    """The plane and the widths asked for, or those that suit the stage."""
    grids = (QUICK_ZONES, ZONES) if stage == "initial" else (QUICK, PAPER)
    usual = grids[0] if options["quick"] else grids[1]
    return Grid(*(options[name] or getattr(usual, name) for name in Grid._fields))


def _target(data: Dataset, options: dict[str, Any], stage: str) -> float:
    """Mean square error at which the runs end.

    Raises:
        click.UsageError: a network of zero output is there already: no weight would move.
        ArgumentError: the data have no linear part.
    """
    if stage == "initial":
        from netphase.kernels import half_way

        return half_way(data, options["part"])
    size, tolerance = float((data.y**2).mean()), float(options["tolerance"])
    if options["antisymmetric"] and size <= tolerance:
        raise click.UsageError(
            f"The targets have a mean square of {size:.3g}, which is within --tolerance "
            f"{tolerance:g} of zero, where an antisymmetric network starts: nothing "
            "would move. Rescale the targets, or give a smaller --tolerance."
        )
    return tolerance


def weaknesses(sweep: Sweep) -> list[str]:
    """Sentences on what makes a sweep's exponents weak.

    Args:
        sweep: the sweep.

    Returns:
        One sentence a weakness, none where all is well.
    """
    widths = sweep.widths
    found = weak_widths(widths)
    if widths[0] < SMALL_WIDTH:
        found.append(
            f"Width {widths[0]} is so small that the law of infinite width says little: use widths "
            f"of {SMALL_WIDTH} and more."
        )
    return found + _precision_weakness(sweep.base) + _gauge_weakness(sweep)


def weak_widths(widths: tuple[int, ...]) -> list[str]:
    """Sentences on widths too few or too near to each other for exponents."""
    found = []
    if len(widths) < 3:
        found.append("Two widths give a slope without an error: add a third.")
    if widths[-1] < 4 * widths[0]:
        found.append(
            f"The widths {widths[0]} to {widths[-1]} span less than a factor 4: exponents will be "
            "uncertain."
        )
    return found


def _precision_weakness(base: Experiment) -> list[str]:
    """A sentence if rounding hides the target of the loss."""
    import numpy as np

    least = ROUNDING * float(np.finfo(base.dtype).eps) ** 2
    size = max(1.0, float((base.dataset.y**2).mean()))
    if base.mean_square >= least * size:
        return []
    return [
        f"A mean square error of {base.mean_square:g} is near the rounding of {base.dtype}: many "
        f"runs will not reach it. Use a --tolerance of {least * size:.0e} or more, or, in the "
        "initial stage, targets of size one."
    ]


def _gauge_weakness(sweep: Sweep) -> list[str]:
    """Sentences if a smooth activation starts beyond its linear part, or not at zero output."""
    from netphase import activations

    found: list[str] = []
    if not activations.get(sweep.base.activation).smooth:
        return found
    corners = [(i, j, k, 0) for i in (0, -1) for j in (0, -1) for k in (0, -1)]
    largest = max((sweep.experiment(corner) for corner in corners), key=lambda e: e.scales.beta2)
    if largest.scales.beta2 > LINEAR:
        law = largest.law
        found.append(
            f"At (γ, γ') = ({law.gamma:g}, {law.gamma_prime:g}) and m = {largest.width} the input "
            f"weights start with the standard deviation β2 = {largest.scales.beta2:.3g}, beyond "
            "the linear part of the activation: exponents differ from the law where β2 is not "
            "small."
        )
    if not sweep.base.antisymmetric and min(sweep.gamma) < 1:
        found.append(
            "Without the antisymmetric start the first output has the size m^(1/2 − γ), which "
            "counts for γ near 1/2 and below: exponents differ from the law there."
        )
    return found
