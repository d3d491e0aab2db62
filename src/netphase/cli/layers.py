"""``netphase diagram --plane layers``: any two exponents of deep networks, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.layer_options import KINDS, chosen_layer_scaling, layer_scaling_options
from netphase.cli.layer_report import LayerReport
from netphase.cli.methods import chosen_method
from netphase.cli.options import joined
from netphase.cli.planes import Plane
from netphase.cli.stages import given, refuse_one_width, weak_widths
from netphase.cli.values import NUMBERS

if TYPE_CHECKING:
    from netphase.dynamics import Descent, Flow
    from netphase.sweep import LayerSweep

FOLDER = Path("netphase-layers")
"""Where the output goes if no folder is asked for."""

SMALL_WIDTH = 64
"""Below this width deep networks are far from the predictions of infinite width."""

DEPTH = 2
"""Hidden layers, if no number is asked for."""


plane_of_layers_options = joined(
    click.option(
        "--depth",
        type=int,
        metavar="L",
        help=f"Layers: hidden layers of m neurons each; default: {DEPTH}.",
    ),
    click.option(
        "--axes",
        metavar="NAME,NAME",
        help="Layers: the exponents along x and along y: any two of g1 … g{L+1} "
        "(β_l = m^(−g_l)), rate1 … rate{L+1} (η_l = m^rate), alpha (α = m^alpha), gamma "
        "(set through α); default: gamma,g{L+1}.",
    ),
    click.option("--x", type=NUMBERS, help="Layers: values of the first of --axes."),
    click.option("--y", type=NUMBERS, help="Layers: values of the second of --axes."),
    click.option(
        "--kind",
        type=click.Choice(KINDS),
        help="Layers: how the output starts at zero: by a second, opposite copy (the "
        "default), by subtracting it, or not at all.",
    ),
    layer_scaling_options,
)
"""The options that only the plane of layers has."""


def layer_plane(ctx: click.Context, options: dict[str, Any]) -> Plane:
    """The plane the options describe.

    Args:
        ctx: the call, which knows what stands on the command line.
        options: values of the options of ``netphase diagram``.

    Raises:
        click.UsageError: options contradict each other.
        ArgumentError: a value is outside its domain.
    """
    from netphase.datasets import load
    from netphase.sweep import LayerSweep, default_layer_sweep, run_layer_sweep

    depth = DEPTH if options["depth"] is None else options["depth"]
    usual = default_layer_sweep(depth, options["quick"])
    axes, x, y = _axes(options, usual)
    data = load(options["data"]) if given(ctx, "data") else usual.dataset
    chosen = chosen_layer_scaling(options, depth, data.d)
    sweep = LayerSweep(
        base=usual.base if chosen is None else chosen[1],
        axes=axes,
        x=x,
        y=y,
        widths=options["widths"] or usual.widths,
        seeds=options["seeds"] if given(ctx, "seeds") else usual.seeds,
        data=options["data"] if given(ctx, "data") else usual.data,
        activation=options["activation"],
        kind=_kind(ctx, options),
        method=_method(ctx, options, usual),
        mean_square=options["tolerance"] if given(ctx, "tolerance") else None,
        time=options["time"],
        dtype=options["dtype"],
    )
    refuse_one_width(sweep.widths)
    return Plane(run_layer_sweep, sweep, LayerReport, _weaknesses(sweep), FOLDER)


def _axes(
    options: dict[str, Any], usual: LayerSweep
) -> tuple[tuple[str, str], tuple[float, ...], tuple[float, ...]]:
    """Names of both axes and their values.

    Raises:
        click.UsageError: there are not two names, or other axes than the usual without values.
    """
    if options["axes"] is None:
        return usual.axes, options["x"] or usual.x, options["y"] or usual.y
    names = tuple(name.strip() for name in options["axes"].split(","))
    if len(names) != 2:
        raise click.UsageError(
            f"--axes needs two exponents with a comma between them, as in g2,g3, but is "
            f"{options['axes']!r}."
        )
    axes = names[0], names[1]
    same = axes == usual.axes
    x, y = (options[name] or (getattr(usual, name) if same else None) for name in ("x", "y"))
    if x is None or y is None:
        missing = "--x" if x is None else "--y"
        raise click.UsageError(
            f"--axes {axes[0]},{axes[1]} needs {missing} beside it, as in {missing} 0:1.5:0.25."
        )
    return axes, x, y


def _kind(ctx: click.Context, options: dict[str, Any]) -> Any:
    """How the output starts at zero.

    Raises:
        click.UsageError: --kind and --antisymmetric/--plain contradict each other.
    """
    short = "antisymmetric" if options["antisymmetric"] else "plain"
    if options["kind"] and given(ctx, "antisymmetric") and options["kind"] != short:
        raise click.UsageError(f"--kind {options['kind']} contradicts --{short}: give one of them.")
    return options["kind"] or short


def _method(ctx: click.Context, options: dict[str, Any], usual: LayerSweep) -> Descent | Flow:
    """The method asked for, or the usual one."""
    from netphase.dynamics import Adam

    steps = any(given(ctx, name) for name in ("learning_rate", "accuracy"))
    if not steps and options["method"] == "descent":
        return usual.method
    method = chosen_method(options)
    assert not isinstance(method, Adam)  # which is refused for every plane
    return method


def _weaknesses(sweep: LayerSweep) -> list[str]:
    """Sentences on what makes the exponents weak, or their predictions."""
    from netphase import activations

    found = weak_widths(sweep.widths)
    if sweep.widths[0] < SMALL_WIDTH:
        found.append(
            f"Width {sweep.widths[0]} is so small that the law of infinite width says little: use "
            f"widths of {SMALL_WIDTH} and more."
        )
    corners = [sweep.scaling((i, j, 0, 0)).log_m_kappa for i in (0, -1) for j in (0, -1)]
    if not activations.get(sweep.activation).homogeneous and min(corners) < 0:
        found.append(
            f"Below the boundary the predictions are those of homogeneous activations such as "
            f"relu: where pre-activations of order one saturate {sweep.activation}, other layers "
            "move more, and runs take many steps."
        )
    if sweep.kind == "plain" and max(corners) > 0.5:
        found.append(
            "Without a start at zero output the first output grows with the width where "
            "lim log κ/log m > 1/2: training has to take it back, and exponents are those of 1/2."
        )
    return found
