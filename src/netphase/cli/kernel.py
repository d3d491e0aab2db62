"""``netphase kernel``: the kernels of finite networks against their limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase.cli.application import INCOMPLETE, SUCCESS
from netphase.cli.kernel_report import FIELDS, content_of, print_content
from netphase.cli.layer_options import KINDS, chosen_layer_scaling, layer_scaling_options
from netphase.cli.options import (
    activation_option,
    data_option_with,
    figures_option_with,
    folder_option,
    json_option,
)
from netphase.cli.output import clear_folder, make_folder, present, save_document, save_record
from netphase.cli.progress import LiveLine
from netphase.cli.values import LOG_NUMBERS, POSITIVE, SEEDS, WIDTHS

if TYPE_CHECKING:
    import xarray as xr

    from netphase.datasets import Dataset
    from netphase.dynamics import Descent
    from netphase.scalings import LayerScaling

HELP = f"""Hold the kernels of finite networks against those of infinite width.

For every width and seed the tangent kernel at the start, its layers and the Gram matrices of
the features are compared with their limits: relative errors and their power of the width,
which should be m^(−1/2); eigenvalues, with the rate 2 λ_min/n at which the loss of a lazy
network decays in the end and the largest stable learning rate 2n/λ_max; shares of the layers;
alignment with the labels. With --train the networks are trained, too, and the late decay of
their loss is held against that rate. With --scale-range the first layer is made small:
smooth activations then have kernels that are nearly singular. Without an initialisation: NTK.

\b
Examples:
  netphase kernel
  netphase kernel --depth 4 --activation tanh --init lecun --widths 64,256,1024
  netphase kernel --data "gaussian?n=8&inputs=3" --widths 64:256:64 --seeds 0:4 --train
  netphase kernel --activation tanh --scale-range 1e-3:1:13 --json

\b
JSON fields: {FIELDS}
"""

DATA = "sines?n=8&inputs=3&amplitude=0.5"
"""Small targets, so that networks of some hundred neurons are already lazy."""

DRAWN = {
    "errors": "kernel_errors",
    "spectra": "kernel_spectra",
    "shares": "layer_shares",
    "decay": "loss_decay",
    "degeneracy": "least_eigenvalues",
}
"""Names of the figures' files, and what of `netphase.figures` draws them."""

RECORDS = ("kernel.nc", "degeneracy.nc", "kernel.json")


@click.command("kernel", help=HELP, short_help="Hold kernels of finite networks against limits.")
@click.option("--depth", type=int, default=2, show_default=True, help="Hidden layers, L.")
@layer_scaling_options
@activation_option
@data_option_with(DATA)
@click.option("--widths", type=WIDTHS, default="64,128,256,512", show_default=True,
              help="Widths m of the hidden layers.")  # fmt: skip
@click.option("--seeds", type=SEEDS, default="0:9", show_default=True, help="One network each.")
@click.option("--outputs", type=int, default=1, show_default=True,
              help="Outputs of a network; each learns the same targets.")  # fmt: skip
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="antisymmetric",
    show_default=True,
    help="Start at zero output with a second, opposite copy (its kernel is twice as large), by "
    "taking the output at the start away, or not at all.",
)
@click.option("--train", is_flag=True, help="Train the networks by stable gradient descent.")
@click.option("--tolerance", type=POSITIVE, help="Train to this mean square error; default: "
              "1e-10 of that of the targets.")  # fmt: skip
@click.option("--max-steps", type=click.IntRange(min=1), help="Most steps of a training.")
@click.option(
    "--scale-range",
    type=LOG_NUMBERS,
    help="Factors ε of β_1 for λ_min against ε, as in 1e-3:1:13, at the largest width.",
)
@figures_option_with("Draw figures.")
@folder_option("netphase-kernel", "Folder for the record (kernel.nc, kernel.json) and the figures.")
@json_option
def command(**options: Any) -> int:
    """Hold kernels against their limits."""
    from netphase import concentration
    from netphase.datasets import load

    method = _method(options)
    data = load(options["data"])
    name, scaling = _scaling(options, data)
    folder: Path = options["output"]
    make_folder(folder)
    with LiveLine("starting") as line:
        degeneracy = _degeneracy(options, data, scaling)
        results = concentration.kernel_concentration(
            data,
            scaling,
            activation=options["activation"],
            widths=options["widths"],
            seeds=options["seeds"],
            outputs=options["outputs"],
            kind=options["kind"],
            train_by=method,
            progress=lambda what, done, total: line.say(f"{what} {done}/{total}"),
            **_given(options),
        )
    content = {"name": name, **content_of(results, degeneracy)}
    clear_folder(folder / RECORDS[2], DRAWN, RECORDS)
    files = [save_record(results, folder / RECORDS[0])]
    if degeneracy is not None:
        files.append(save_record(degeneracy, folder / RECORDS[1]))
    if options["figures"]:
        files += _draw(results, degeneracy, folder)
    files.append(folder / RECORDS[2])
    content["files"] = files
    save_document("kernel", content, files[-1])
    present("kernel", content, lambda page: print_content(page, content), files, options["as_json"])
    return SUCCESS if content["succeeded"] else INCOMPLETE


def _method(options: dict[str, Any]) -> Descent | None:
    """How networks are trained, None for not."""
    from netphase.dynamics import Descent

    if options["train"]:
        return Descent("stable")
    for name in ("tolerance", "max_steps"):
        if options[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is for --train; give both.")
    return None


def _scaling(options: dict[str, Any], data: Dataset) -> tuple[str, LayerScaling]:
    """The scaling the options describe, NTK by default, with a name for it."""
    from netphase.scalings import layer_initialisation

    usual = layer_initialisation("ntk", options["depth"], data.d)  # refuses a depth of 0
    return chosen_layer_scaling(options, options["depth"], data.d) or ("ntk", usual)


def _degeneracy(options: dict[str, Any], data: Dataset, scaling: LayerScaling) -> xr.Dataset | None:
    """λ_min against the size of the first layer, where it was asked for."""
    from netphase import concentration

    if options["scale_range"] is None:
        return None
    return concentration.kernel_degeneracy(
        data,
        scaling.at_width(max(options["widths"])),
        activation=options["activation"],
        factors=options["scale_range"],
    )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the library for the options of a training that were given."""
    names = {"tolerance": "mean_square", "max_steps": "max_steps"}
    return {names[key]: options[key] for key in names if options[key] is not None}


def _draw(results: xr.Dataset, degeneracy: xr.Dataset | None, folder: Path) -> list[Path]:
    """All figures for which there is something to draw."""
    from netphase import figures

    files = []
    for stem, name in DRAWN.items():
        drawn = degeneracy if stem == "degeneracy" else results
        if drawn is not None and (stem != "decay" or "mean_square" in results):
            files += figures.save(getattr(figures, name)(drawn), folder / stem)
    return files
