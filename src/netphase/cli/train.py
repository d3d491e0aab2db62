"""``netphase train``: one network, its summary, curves, function and neurons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase._files import replacing
from netphase.cli.application import INCOMPLETE, SUCCESS
from netphase.cli.methods import chosen_method, method_options
from netphase.cli.options import (
    activation_option,
    antisymmetric_option,
    chosen_law,
    data_option,
    dtype_option,
    json_option,
    law_options,
    tolerance_option,
)
from netphase.cli.output import (
    console,
    emit,
    error_console,
    list_files,
    make_folder,
    new_table,
    short,
)

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from netphase.experiment import Experiment
    from netphase.observables import Features

HELP = """Train one network and show what became of it.

Prints why the run ended, the loss, how far the weights moved and in how many directions the
neurons gather; saves everything (.nc or .zarr, by the suffix of --output) with figures
beside it: loss and changes against time, the neurons before and after, and the learned
function where the data have one input. Without an initialisation: mean field.

\b
Examples:
  netphase train --gamma 1.75
  netphase train --init xavier --width 4000 --seed 3 --output run.zarr
  netphase train --alpha m --activation tanh --method flow --data mine.csv --json

\b
JSON fields: experiment (specification), key, gamma, gamma_prime, regime, alias,
status, remedy, succeeded, scalars {relative_change_w, relative_change_a,
relative_change_theta, max_relative_change_*, mean_square, time, steps, rejected, gradients,
solves, active_neurons, direction_clusters, entropy_number, participation_ratio,
effective_rank}, files.
"""

SUFFIXES = (".nc", ".zarr")
"""Kinds of files a run can be saved to."""

DEFAULT_OUTPUT = Path("netphase-train.nc")


@click.command("train", help=HELP, short_help="Train one network and look at it.")
@law_options
@click.option("--width", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@activation_option
@data_option
@method_options
@dtype_option
@tolerance_option
@click.option(
    "--max-steps", type=click.IntRange(min=1), default=10_000_000, help="Give up after so many."
)
@antisymmetric_option
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=DEFAULT_OUTPUT,
    show_default=True,
    metavar="FILE",
    help="Where to save the run, .nc (NetCDF) or .zarr; figures go beside it.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output if it is there already.")
@json_option
def command(**options: Any) -> int:
    """Train one network."""
    from netphase.experiment import run

    output: Path = options["output"]
    _check_output(output, options["overwrite"])
    name, experiment = experiment_of(options)
    make_folder(output.parent)
    with error_console().status(f"training m = {experiment.width}, {name}"):
        result = run(experiment)
    files = [_save(result, output), *_draw(output.with_suffix(""), experiment, result)]
    content = _content(experiment, result, files)
    if options["as_json"]:
        emit("train", content)
    else:
        _print(console(), name, content)
    return SUCCESS if content["succeeded"] else INCOMPLETE


def experiment_of(options: dict[str, Any]) -> tuple[str, Experiment]:
    """The experiment the options describe, and a name for its initialisation.

    Args:
        options: values of the options of `command`.

    Returns:
        Name and experiment.

    Raises:
        click.UsageError: options exclude each other.
        ArgumentError: a value is outside its domain, or the data are not usable.
    """
    from netphase.datasets import load
    from netphase.experiment import Experiment
    from netphase.scalings import ScalingLaw

    data = load(options["data"])
    name, law = chosen_law(options, data.d) or ("mean field", ScalingLaw.mean_field())
    return name, Experiment(
        law=law,
        width=options["width"],
        activation=options["activation"],
        data=options["data"],
        seed=options["seed"],
        antisymmetric=options["antisymmetric"],
        method=chosen_method(options, single=True),
        dtype=options["dtype"],
        mean_square=options["tolerance"],
        max_steps=options["max_steps"],
    )


def _check_output(output: Path, overwrite: bool) -> None:
    """Refuse a suffix no run is saved to, and a file that must not be replaced."""
    from netphase.store import is_store

    if output.suffix not in SUFFIXES:
        raise click.UsageError(
            f"--output must end in {' or '.join(SUFFIXES)}, but is {str(output)!r}."
        )
    if not output.exists():
        return
    group = output.is_dir() and (output / "zarr.json").is_file() and not is_store(output)
    if not (group if output.suffix == ".zarr" else output.is_file()):
        raise click.UsageError(
            f"--output {output} exists and is no saved run, so it is left as it is; choose another."
        )
    if not overwrite and output != DEFAULT_OUTPUT:
        raise click.UsageError(f"--output {output} exists: choose another, or give --overwrite.")


def _save(result: xr.Dataset, output: Path) -> Path:
    """Write the run beside its place and move it there, so that no half-written file stays."""
    import shutil

    with replacing(output) as draft:
        if output.suffix == ".nc":
            result.to_netcdf(draft, engine="scipy", format="NETCDF3_64BIT")
        else:
            result.to_zarr(draft, mode="w", zarr_format=3, consolidated=False)
            if output.exists():
                shutil.rmtree(output)
    return output


def _draw(stem: Path, experiment: Experiment, result: xr.Dataset) -> list[Path]:
    """Draw curves, neurons before and after, and the function of one input."""
    import numpy as np

    from netphase import figures

    files: list[Path] = []
    if result.sizes["time"] > 1:
        files += figures.save(figures.training_curves(result), _beside(stem, "curves"))
    if np.isfinite(result["final_amplitude"].values).all():
        figure = figures.feature_cloud(cloud_of(result, "initial"), cloud_of(result, "final"))
        files += figures.save(figure, _beside(stem, "neurons"))
    data = experiment.dataset
    if data.bias and data.d == 2:
        before, after = (function_of(experiment, result, stage) for stage in ("initial", "final"))
        if not np.isfinite(after).all():
            return files
        figure = figures.network_output(after, (data.x[:, 0], data.y), initial=before)
        files += figures.save(figure, _beside(stem, "function"))
    return files


def _beside(stem: Path, what: str) -> Path:
    """Stem of a figure that goes with a saved run."""
    return stem.with_name(f"{stem.name}-{what}")


def cloud_of(result: xr.Dataset, stage: str) -> Features:
    """Directions and amplitudes of the first copy.

    Args:
        result: a run.
        stage: "initial" or "final".

    Returns:
        The features.
    """
    from netphase.observables import Features

    first = result.isel(neuron=result["copy"].values == 0)
    angle = f"{stage}_angle"
    return Features(
        first[f"{stage}_direction"].values,
        first[f"{stage}_amplitude"].values,
        first[angle].values if angle in first else None,
    )


def function_of(experiment: Experiment, result: xr.Dataset, stage: str) -> xr.DataArray:
    """The function of one input at 400 points, to a tenth beyond the data on either side.

    Args:
        experiment: what was run; its data have one input and a bias.
        result: the run.
        stage: "initial" or "final".

    Returns:
        f(x) with the dimension ``x``.
    """
    import numpy as np
    import xarray as xr

    from netphase import activations
    from netphase.networks import Parameters, TwoLayerNetwork

    scales = experiment.law.at_width(experiment.width)
    network = TwoLayerNetwork(activations.get(experiment.activation), scales)
    x = experiment.dataset.x[:, 0]
    margin = 0.1 * float(np.ptp(x)) or 1.0
    grid = np.linspace(x.min() - margin, x.max() + margin, 400)
    inputs = np.column_stack([grid, np.ones_like(grid)])  # (400, 2)
    parameters = Parameters(result[f"{stage}_a"].values, result[f"{stage}_w"].values)
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverged
        values = network.output(parameters, inputs)
    return xr.DataArray(values, dims="x", coords={"x": grid})


def _content(experiment: Experiment, result: xr.Dataset, files: list[Path]) -> dict[str, Any]:
    """The fields of the JSON document."""
    import json

    from netphase._types import Status

    status, law = Status(result.attrs["status"]), experiment.law
    series = ("time", "mean_square", *(f"relative_change_{block}" for block in ("w", "a", "theta")))
    scalars = {name: result[name].values[-1].item() for name in series}
    scalars |= {
        str(name): variable.item()
        for name, variable in result.data_vars.items()
        if variable.ndim == 0 and name != "status"
    }
    return {
        "experiment": json.loads(experiment.to_json()),
        "key": experiment.key,
        "gamma": law.gamma,
        "gamma_prime": law.gamma_prime,
        "regime": law.regime.value,
        "alias": law.regime.alias,
        "status": status.value,
        "remedy": status.remedy,
        "succeeded": status.succeeded,
        "scalars": scalars,
        "files": files,
    }


def _print(page: Console, name: str, content: dict[str, Any]) -> None:
    """The run for a reader."""
    scalars = content["scalars"]
    page.print(
        f"[bold]{name}[/bold]: γ = {short(content['gamma'])}, γ' = "
        f"{short(content['gamma_prime'])}, {content['regime']} ({content['alias']}) at large width"
    )
    colour = "green" if content["succeeded"] else "red"
    page.print(f"[{colour}]{content['status']}[/{colour}]. {content['remedy']}".rstrip())
    table = new_table("", ">")
    for words, key in (
        ("mean square error", "mean_square"),
        ("relative change of the input weights, RD_w", "relative_change_w"),
        ("relative change of the output weights, RD_a", "relative_change_a"),
        ("relative change of all weights, RD_θ", "relative_change_theta"),
        ("active neurons (amplitude > 5 % of the largest)", "active_neurons"),
        ("directions among them (cosine > 0.95)", "direction_clusters"),
        ("effective rank of the directions", "effective_rank"),
        ("steps", "steps"),
        ("normalised time", "time"),
    ):
        if key == "time" and content["experiment"].get("method", {}).get("type") == "adam":
            continue  # whose clock counts the steps
        value = scalars[key]
        whole = isinstance(value, int) or float(value).is_integer()
        table.add_row(words, f"{int(value):,}" if whole else short(value))
    page.print(table)
    list_files(page, content["files"])
