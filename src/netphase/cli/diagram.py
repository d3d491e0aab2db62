"""``netphase diagram``: the phase diagram, measured, with the exact boundary over it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.comparison import ComparedReport
from netphase.cli.layer_report import LAYER_FIELDS
from netphase.cli.layers import layer_plane, plane_of_layers_options
from netphase.cli.methods import method_options
from netphase.cli.options import (
    activation_option,
    antisymmetric_option,
    data_option,
    dtype_option,
    folder_option,
    json_option,
    tolerance_option,
    workers_option,
)
from netphase.cli.planes import PLANES, Plane, measured_plane, refuse_options_of_others
from netphase.cli.report import FIELDS
from netphase.cli.show import STORE_NAME
from netphase.cli.size_report import SIZE_FIELDS
from netphase.cli.sizes import size_options, size_plane
from netphase.cli.stages import PART, stage_of, sweep_of, weaknesses
from netphase.cli.values import FRACTION, NUMBERS, SEEDS, WIDTHS

if TYPE_CHECKING:
    import xarray as xr

FOLDER = Path("netphase-diagram")
"""Where the output goes if no folder is asked for."""

HELP = f"""Measure a phase diagram: the scales of two layers, those of deep networks, or sizes.

In the plane of the scales it trains a network at every point, for every width and seed, to the
same loss; fits the exponents in the width of the relative changes of the weights; says for every
cell whether it is linear, critical or condensed, and which layers move; and locates the boundary
in every row, with an uncertainty. Results go into a store that a second call resumes, so that an
interrupted run loses nothing.

With no options it measures Fig. 4 of Luo et al. (2021) in full: 13 x 9 points, widths up
to 40 000, one seed. For a smooth activation such as tanh it reads the networks at the end
of the initial stage and draws the diagram of initial condensation with its four zones:
13 x 9 points, widths up to 64 000, a linear target. --exact draws the same at infinite width,
from the closed equations, in seconds.

With --plane size it trains students of a teacher of ReLU neurons on n samples (Ma, Wu & E 2020):
width m against n, in the conventional and the mean-field scaling, each beside its random-feature
twin; a run ends at --tolerance (here 1e-7 by default) or on a plateau of its loss. The map is of
the exact test error, with the front m*(n) at which sparse recovery gives way, its error, and its
exponent in n. Defaults: one neuron in 20 dimensions, seeds 0:2, folder netphase-sizes. A run that
stagnates counts (a network too narrow for its data must), and so does one that reaches --time,
where that is given; any other end gives exit code 3.

With --plane layers it trains networks of --depth L hidden layers over any two of their exponents
(--axes): the scales β_l = m^(−g_l), the rates η_l, α; all others are those of --init, --g, --beta
or --std-exponent (default: ntk). It fits the exponent in the width of every layer's change, in
the operator norm and in the Frobenius norm, which takes hidden layers that move for lazy ones;
says for every network whether it is θ-lazy (κ grows with the width: kernel), at the boundary
(μP-like) or below (rich); and sets the lines of infinite width over the measured ones, layer by
layer. Defaults: relu, γ and g of the output layer, widths 256 to 1024, eight seeds (minutes),
--learning-rate stable, folder netphase-layers.

\b
Examples:
  netphase diagram
  netphase diagram --quick
  netphase diagram --activation tanh
  netphase diagram --activation tanh --exact
  netphase diagram --gamma 0.6:1.4:0.1 --gamma-prime=-0.2:0.2:0.1 --seeds 0:2
  netphase diagram --plane size --quick
  netphase diagram --plane size --target 'circle?d=10' --samples 50:200:50 --scaling 0.5 --time 2e4
  netphase diagram --plane layers --quick
  netphase diagram --plane layers --quick --axes g2,g3 --x 0.25:1.25:0.25 --y 0.25:1.25:0.25
  netphase diagram --data mine.csv --activation tanh --output mine --json > mine.json

\b
A LIST is start:stop:step (both ends included), or numbers with commas, or both.

\b
JSON fields: {FIELDS},
sweep (its specification), macroscopic (null in the final stage: {{width, cells, left_out,
relative_change_w, relative_change_a, alignment_ratio: {{median, largest, gamma,
gamma_prime}}}}); boundary.*.exact is null where no law is known.
With --exact: axes {{gamma, gamma_prime, width}}, cells [{{gamma, gamma_prime, zone, alias,
exponents {{w, a, theta: {{exponent, law}}}}, alignment_ratio}}], criterion (of the zones),
deviations [{{distance (from the lines of the law), w, a, theta}}], part, mean_square,
activation, data, warnings, files.
With --plane size: {SIZE_FIELDS},
sweep (its specification).
With --plane layers: {LAYER_FIELDS},
sweep (its specification).
"""


@click.command("diagram", help=HELP, short_help="Measure the phase diagram.")
@click.option(
    "--plane",
    type=click.Choice(PLANES),
    default="scaling",
    show_default=True,
    help="Which plane: scaling is (γ, γ') of κ = β1 β2/α = m^(−γ), κ' = β1/β2 = m^(−γ'); size is "
    "width m against n samples; layers is any two exponents of deep networks.",
)
@size_options
@plane_of_layers_options
@click.option("--gamma", type=NUMBERS, help="Values of γ; default: those of the stage.")
@click.option("--gamma-prime", type=NUMBERS, help="Values of γ'; default: those of the stage.")
@click.option(
    "--widths",
    type=WIDTHS,
    metavar="LIST",
    help="Widths m; two at least for exponents.",
)
@click.option(
    "--stage",
    type=click.Choice(["initial", "final"]),
    help="Read the networks when --part of what a linear fit explains is learnt (initial), or "
    "at --tolerance (final). Default: initial for smooth activations with σ(0) = 0, σ'(0) ≠ 0.",
)
@click.option(
    "--part",
    type=FRACTION,
    default=PART,
    show_default=True,
    help="Where the initial stage is read: the share of what a linear fit explains that is learnt.",
)
@click.option(
    "--gauge",
    type=click.Choice(["beta1", "alpha"]),
    help="What the third exponent is fixed by: beta1 (β1 = 1) or alpha (α = 1). For homogeneous "
    "activations it changes the clock only. Default: alpha in the initial stage, else beta1.",
)
@click.option(
    "--exact",
    is_flag=True,
    help="Train nothing: integrate the closed equations of the initial stage at --widths of any "
    "size, 1e60 and 1e64 by default.",
)
@click.option(
    "--seeds", type=SEEDS, metavar="LIST", default="0", show_default=True, help="Seeds, as 0:4."
)
@activation_option
@data_option
@method_options
@dtype_option
@tolerance_option
@antisymmetric_option
@workers_option
@folder_option(FOLDER, f"Folder for the store ({STORE_NAME}), the figures and the JSON document.")
@click.option(
    "--resume/--fresh",
    default=True,
    show_default=True,
    help="Go on with the store in the output folder, or replace it.",
)
@click.option("--quick", is_flag=True, help="A coarser grid and narrower networks: seconds.")
@click.option(
    "--whole-row",
    is_flag=True,
    help="Add the zero of a straight line through each whole row, as in the paper.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Measure the phase diagram."""
    # runs are spread over the cores; read by BLAS when numpy is imported, which is below
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    refuse_options_of_others(ctx, options["plane"])
    if options["exact"]:
        from netphase.cli.exact import exact_diagram

        return exact_diagram(ctx, options)
    chosen = {"scaling": _scaling_plane, "size": size_plane, "layers": layer_plane}
    return measured_plane(ctx, options, chosen[options["plane"]](ctx, options))


def _scaling_plane(ctx: click.Context, options: dict[str, Any]) -> Plane:
    """The plane of the scales that the options describe."""
    from netphase.sweep import run_sweep

    sweep = sweep_of(ctx, options)
    part = options["part"] if stage_of(options) == "initial" else None

    def report_on(results: xr.Dataset) -> ComparedReport:
        return ComparedReport(results, options["whole_row"], sweep, part)

    return Plane(run_sweep, sweep, report_on, weaknesses(sweep), FOLDER)
