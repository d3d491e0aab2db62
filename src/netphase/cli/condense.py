"""``netphase condense``: one network while it condenses, against what was predicted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netphase._files import replacing
from netphase.cli.application import INCOMPLETE, SUCCESS
from netphase.cli.condensed import FIELDS, content_of, print_content
from netphase.cli.methods import chosen_method, method_options_with
from netphase.cli.options import (
    chosen_law,
    data_option_with,
    dtype_option,
    film_options,
    folder_option,
    json_option,
    law_options,
)
from netphase.cli.output import make_folder, present, save_document, warn
from netphase.cli.values import POSITIVE

if TYPE_CHECKING:
    import xarray as xr

    from netphase.condensing import Expected
    from netphase.datasets import Dataset
    from netphase.dynamics import Adam, Descent, Flow
    from netphase.experiment import Experiment
    from netphase.scalings import ScalingLaw

HELP = f"""Watch one network condense, and compare with the directions predicted before.

Trains a small-weight network, counts at every moment the directions its neurons use, and
says in the end which of the predicted directions are occupied, whether the network is
condensed (every measure with its chance level), and how small the merged network is. Draws
cosine heat maps, alignment histograms, the counts against time, and a film of the neurons
in the plane of orientation and amplitude. Without an initialisation: α = 1 and both standard
deviations m^-1.5. With --gamma, too, α is 1 here.

\b
Examples:
  netphase condense
  netphase condense --activation x2_tanh --until half
  netphase condense --gamma 2 --tolerance 0.01 --animation talk.mp4
  netphase condense --data "sines?n=80&inputs=5" --width 50 --method adam --steps 100

\b
JSON fields: {FIELDS}
"""

DATA = "sines?n=80&inputs=1&frequency=3"
"""One input, so that directions are angles; two, four, six directions for p = 1, 2, 3."""

NAME, EXPONENT = "both standard deviations m^-1.5", 3.0
"""The default initialisation, and its γ."""

PARTS = {"initial": 0.1, "half": 0.5}
"""Share of what the leading order can explain that is gone at each end of a run."""

NEVER = 1e-30
"""Share of the mean square of the targets that no run gets down to."""

CHANCE_DRAWS = 19
"""Clouds drawn for the chance level of the counts against time."""


@click.command("condense", help=HELP, short_help="Watch one network condense; film it.")
@law_options
@click.option("--width", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--activation",
    default="tanh",
    show_default=True,
    metavar="NAME",
    help="As in `netphase train`; of multiplicity 1 are tanh, erf, gelu, centred_sigmoid, "
    "centred_softplus, of 2 x_tanh, of 3 x2_tanh.",
)
@data_option_with(DATA)
@method_options_with("flow")
@dtype_option
@click.option(
    "--until",
    type=click.Choice(list(PARTS)),
    default="initial",
    show_default=True,
    help="End when a tenth (initial) or half of what the activation's leading order can explain "
    "of the targets is learnt.",
)
@click.option("--tolerance", type=POSITIVE, help="End at this mean square error instead.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    help="End after so many steps of Adam, or of a descent with a fixed --learning-rate; without "
    "--until or --tolerance not before.",
)
@click.option(
    "--max-steps", type=click.IntRange(min=1), default=1_000_000, help="Give up after so many."
)
@click.option(
    "--antisymmetric/--plain",
    default=False,
    show_default=True,
    help="Start at zero output with a second, opposite copy of the network, or without one.",
)
@click.option(
    "--frames", type=click.IntRange(min=2), default=120, show_default=True, help="Moments to keep."
)
@click.option(
    "--amplitude",
    type=click.Choice(["log", "linear"]),
    default="log",
    show_default=True,
    help="Amplitude axis of the film.",
)
@film_options
@click.option(
    "--literature-colours", is_flag=True, help="Heat maps in the literature's colours, YlGnBu."
)
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    default=99,
    show_default=True,
    help="Clouds of random directions each measure is compared with in the end.",
)
@folder_option(
    "netphase-condense",
    "Folder for the record (condense.nc, condense.json), the figures and the film.",
)
@json_option
def command(**options: Any) -> int:
    """Watch one network condense."""
    from netphase.cli.moments import MomentLine
    from netphase.condensing import condense, expected_directions
    from netphase.datasets import load

    folder: Path = options["output"]
    film = _film(options["animation"], folder, options["figures"])
    data = load(options["data"])
    name, experiment = experiment_of(options, data)
    for each in (folder, *([film.parent] if film else [])):
        make_folder(each)
    expected = expected_directions(data, experiment.activation)
    with MomentLine(options["frames"], _clock(experiment, expected)) as line:
        result = condense(
            experiment,
            options["frames"],
            chance_draws=CHANCE_DRAWS,
            expected=expected,
            watch=line.show,
        )
    content = content_of(experiment, expected, result, options["draws"])
    files = [_save(result, folder / "condense.nc")]
    if options["figures"]:
        files += _draw(result, folder, options["literature_colours"])
        files += _draw_field(expected, data, result, folder)
        files += _animate(result, film, options["amplitude"])
    files.append(folder / "condense.json")
    content |= {"name": name, "files": files}
    save_document("condense", content, folder / "condense.json")
    present(
        "condense", content, lambda page: print_content(page, content), files, options["as_json"]
    )
    return SUCCESS if content["succeeded"] else INCOMPLETE


def experiment_of(options: dict[str, Any], data: Dataset) -> tuple[str, Experiment]:
    """The experiment the options describe, and a name for its initialisation.

    Args:
        options: values of the options of `command`.
        data: the data they name.

    Returns:
        Name and experiment.

    Raises:
        click.UsageError: options exclude each other.
        ArgumentError: a value is outside its domain.
    """
    from netphase import activations
    from netphase.experiment import Experiment

    activations.get(options["activation"])
    method = chosen_method(options, single=True)
    name, law = _law(options, data.d)
    return name, Experiment(
        law=law,
        width=options["width"],
        activation=options["activation"],
        data=options["data"],
        seed=options["seed"],
        antisymmetric=options["antisymmetric"],
        method=method,
        dtype=options["dtype"],
        mean_square=_target(options, data),
        time=_end(options["steps"], method),
        max_steps=options["max_steps"],
    )


def _law(options: dict[str, Any], d: int) -> tuple[str, ScalingLaw]:
    """The initialisation; points of the plane are taken at α = 1, unlike elsewhere."""
    from netphase.scalings import ScalingLaw

    chosen = chosen_law(options, d)
    if chosen is None:
        return NAME, ScalingLaw.plain(EXPONENT, 0.0)
    name, law = chosen
    if options["gamma"] is None:
        return chosen
    plain = ScalingLaw.plain(options["gamma"], options["gamma_prime"] or 0.0)
    return f"{name} at α = 1", plain.with_learning_rates(law.rate_ratio, law.rate_ratio_prefactor)


def _target(options: dict[str, Any], data: Dataset) -> float:
    """Mean square error at which the run ends."""
    import numpy as np

    from netphase.errors import ArgumentError
    from netphase.kernels import stage_end

    source = click.get_current_context().get_parameter_source("until")
    default = source is click.core.ParameterSource.DEFAULT
    if options["tolerance"] is not None:
        if not default:
            raise click.UsageError("--until and --tolerance both say when to end; give one.")
        return float(options["tolerance"])
    all_of_it = float(np.mean(data.y**2))
    if all_of_it == 0.0:
        raise click.UsageError(
            "All targets are zero, so there is nothing to learn; choose other data."
        )
    if options["steps"] is not None and default:
        return NEVER * all_of_it
    part = PARTS[options["until"]]
    try:
        return stage_end(data, options["activation"], part)
    except ArgumentError as error:
        warn(f"{error} Here it ends when {100 * part:g} % of the whole error is gone.")
        return (1 - part) * all_of_it


def _end(steps: int | None, method: Adam | Descent | Flow) -> float | None:
    """The reading of the clock after so many steps of a fixed size."""
    from netphase.dynamics import Adam, Descent

    if steps is None:
        return None
    if isinstance(method, Adam):
        return float(steps)
    if isinstance(method, Descent) and isinstance(method.learning_rate, float):
        return steps * method.learning_rate
    raise click.UsageError(
        "--steps counts steps of a fixed size: give --method adam, or --method descent with a "
        "--learning-rate."
    )


def _film(animation: str | None, folder: Path, wanted: bool) -> Path | None:
    """The file of the film, refused before the training if it cannot be made."""
    from netphase.figures import animation_writer

    if animation == "none":
        return None
    if animation == "":
        raise click.UsageError("Option --animation needs the name of a file, or none.")
    path = folder / "neurons.gif" if animation is None else Path(animation)
    if wanted or animation is not None:
        animation_writer(path)
    return path if wanted else None


def _clock(experiment: Experiment, expected: Expected) -> tuple[str, float]:
    """What the live line calls its clock, and what that shows for one unit of time."""
    from netphase.dynamics import Adam
    from netphase.results import growth_rate

    if isinstance(experiment.method, Adam):
        return "step", 1.0
    rate, clock = growth_rate(expected.prediction, experiment.scales), experiment.scales.clock
    return ("t", clock) if rate is None else ("λt", rate * clock)


def _save(result: xr.Dataset, path: Path) -> Path:
    """Write the record whole or not at all; dimensions of no length are left out."""
    empty = [name for name, size in result.sizes.items() if size == 0]
    with replacing(path) as draft:
        result.drop_dims(empty).to_netcdf(draft, engine="scipy", format="NETCDF3_64BIT")
    return path


def _draw(result: xr.Dataset, folder: Path, literature: bool) -> list[Path]:
    """Heat maps, histograms and counts."""
    from netphase import figures

    if result.sizes["time"] < 2:
        return []
    clouds = _stages(result)
    heat_map = figures.cosine_heat_map(clouds, literature=literature)
    files = figures.save(heat_map, folder / "cosines")
    if result.sizes["prediction"]:
        direction = result["predicted_direction"].values[0]
        of_order_one = "growth_rate" in result
        name, about = ("z", "") if of_order_one else ("u_1", "$u_1$: predicted direction 1")
        histograms = figures.alignment_histograms(clouds, direction, name=name, about=about)
        files += figures.save(histograms, folder / "alignment")
    return files + figures.save(figures.condensation_counts(result), folder / "counts")


def _draw_field(expected: Expected, data: Dataset, result: xr.Dataset, folder: Path) -> list[Path]:
    """What turns the neurons, with their way to the end of the initial stage, for d = 2."""
    from netphase import figures
    from netphase.results import parameters_at

    if expected.prediction is None or data.d != 2:
        return []
    tracks = parameters_at(result, 0), parameters_at(result, _stage_index(result))
    field = figures.direction_field(expected.prediction, data, tracks=tracks)
    return figures.save(field, folder / "field")


def _stage_index(result: xr.Dataset) -> int:
    """The moment at the end of the initial stage; the last one if that is not reached."""
    end = float(result["initial_stage_end"])
    if not math.isfinite(end):
        return result.sizes["time"] - 1
    return int(abs(result["time"].values - end).argmin())


def _stages(result: xr.Dataset) -> dict[str, Any]:
    """Title → features at the start, at the end of the initial stage if it is passed, and last."""
    from netphase.results import features_at

    clouds = {"before": features_at(result, 0)}
    index, last = _stage_index(result), result.sizes["time"] - 1
    if 0 < index < 0.9 * last:
        clouds["end of the initial stage"] = features_at(result, index)
    clouds["end"] = features_at(result, last)
    return clouds


def _animate(result: xr.Dataset, film: Path | None, amplitude: Any) -> list[Path]:
    """The film, where there is one to make."""
    from netphase import figures

    if film is None or result.sizes["time"] < 2:
        return []
    return [
        figures.save_animation(figures.condensation_animation(result, amplitude=amplitude), film)
    ]
