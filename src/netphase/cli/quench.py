"""``netphase quench``: one network that activates few neurons, beside its random-feature twin."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from netphase._files import replacing
from netphase.cli.application import INCOMPLETE, SUCCESS
from netphase.cli.options import film_options, folder_option, json_option
from netphase.cli.output import clear_folder, make_folder, present, save_document
from netphase.cli.quenched import FIELDS, ablation_of, content_of, print_content
from netphase.cli.values import POSITIVE, Real, StepSize

if TYPE_CHECKING:
    import xarray as xr

    from netphase.dynamics import Descent

HELP = f"""Watch one network activate few of its neurons and quench the rest.

A ReLU student starts with silent output weights, follows the random-feature model at first,
then activates few neurons, which turn towards the target. Its twin has the same input
weights, frozen. Prints when the phases begin, which neurons were activated and deactivated,
and who found the target; draws contributions, errors, stems and directions, and a film.
Without --samples it trains on infinitely many inputs, exactly.

\b
Examples:
  netphase quench
  netphase quench --target circle --inputs 30 --width 60 --learning-rate auto --time 1e5
  netphase quench --samples 200 --inputs 19 --width 30 --tolerance 1e-5
  netphase quench --target circle --time 3e4 --learning-rate auto --ablate delete --at 800

\b
JSON fields: {FIELDS}
"""

FILM = "neurons.gif"
"""The film, where no other file is asked for."""

DRAWN = {
    "contributions": "contribution_curves",
    "errors": "loss_with_twin",
    "stems": "contribution_stems",
    "directions": "direction_scatter",
}
"""Names of the figures' files, and what of `netphase.figures` draws them."""


class Scaling(Real):
    """A scaling with a name, or the exponent γ."""

    words = ("conventional", "mean_field")


@click.command("quench", help=HELP, short_help="Watch few neurons of one network activate.")
@click.option(
    "--target",
    default="single_neuron",
    show_default=True,
    metavar="NAME",
    help="single_neuron, finite_neurons, circle, sphere or linear, with options as in "
    "'finite_neurons?d=19&units=5'.",
)
@click.option(
    "--inputs", type=click.IntRange(min=1), help="Number d of inputs; default: the target's, 20."
)
@click.option("--width", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--samples", type=int, help="Train on so many samples; default: on all inputs.")
@click.option(
    "--input-law",
    type=click.Choice(["gaussian", "sphere"]),
    default="gaussian",
    show_default=True,
    help="Law of the inputs: standard normal, or even on the unit sphere.",
)
@click.option(
    "--scaling",
    type=Scaling(),
    default="conventional",
    show_default=True,
    metavar="NAME|GAMMA",
    help="conventional (the output is the sum over neurons), mean_field (their mean), or γ: the "
    "sum divided by m^γ.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--learning-rate",
    type=StepSize(above=0.0),
    default="stable",
    show_default=True,
    metavar="NUMBER|stable|auto",
    help="Step of gradient descent on half the mean square error (twice the rate on the mean "
    "square error); stable: half the limit of stability; auto: follow the gradient flow.",
)
@click.option(
    "--tolerance",
    type=POSITIVE,
    default=1e-6,
    show_default=True,
    help="End at this mean square error on what is trained on.",
)
@click.option(
    "--time",
    type=POSITIVE,
    help="End at this time t of the gradient flow; without it a plateau ends the run.",
)
@click.option(
    "--max-steps",
    type=click.IntRange(min=1),
    default=10_000_000,
    show_default=True,
    help="Give up after so many.",
)
@click.option(
    "--frames",
    type=click.IntRange(min=2),
    default=24,
    show_default=True,
    help="Records for each factor of ten in time.",
)
@click.option(
    "--ablate",
    type=click.Choice(["delete", "freeze", "redraw"]),
    help="Take out the quenched neurons at the time --at and compare what still happens.",
)
@click.option("--at", type=POSITIVE, help="Time of the ablation.")
@film_options
@folder_option(
    "netphase-quench", "Folder for the record (quench.nc, quench.json), the figures and the film."
)
@json_option
def command(**options: Any) -> int:
    """Watch few neurons of one network activate."""
    from netphase.cli.records import RecordLine
    from netphase.quenching import ablate, quench

    if (options["ablate"] is None) != (options["at"] is None):
        raise click.UsageError("--ablate says what is done at the time --at; give both or none.")
    if options["at"] is not None and options["at"] >= (options["time"] or math.inf):
        raise click.UsageError("--at must be before --time: something has to follow.")
    folder: Path = options["output"]
    film = film_path(options["animation"], folder, options["figures"])
    target = target_with(options["target"], options["inputs"])
    for each in (folder, *([film.parent] if film else [])):
        make_folder(each)
    with RecordLine() as line:
        result = quench(
            target,
            options["width"],
            options["samples"],
            scaling=options["scaling"],
            seed=options["seed"],
            inputs=options["input_law"],
            method=_method(options["learning_rate"]),
            mean_square=options["tolerance"],
            time=options["time"],
            max_steps=options["max_steps"],
            frames=options["frames"],
            watch=line.show,
        )
    content = content_of(result)
    clear_folder(folder / "quench.json", DRAWN, ("ablation.nc", FILM))
    files = [_save(result, folder / "quench.nc")]
    if options["figures"]:
        files += _draw(result, folder, film)
    files.append(folder / "quench.json")
    content["files"] = files
    save_document("quench", content, files[-1])
    if options["ablate"]:  # may be refused, for there is no such time: the run is saved by now
        altered = ablate(result, options["at"], options["ablate"], seed=options["seed"])
        files.insert(1, _save(altered, folder / "ablation.nc"))
        content["ablation"] = ablation_of(altered)
        save_document("quench", content, files[-1])
    present("quench", content, lambda page: print_content(page, content), files, options["as_json"])
    return SUCCESS if content["succeeded"] else INCOMPLETE


def target_with(source: str, inputs: int | None) -> str:
    """A target's name with the number of inputs that was asked for.

    Args:
        source: the name, perhaps with options.
        inputs: d; None for that of the name.

    Returns:
        The name with all options.

    Raises:
        click.UsageError: the name says another number of inputs.
        ArgumentError: the name or an option is unknown.
    """
    from netphase import targets

    if inputs is None:
        return source
    name, _, query = source.partition("?")
    if not any(part.startswith("d=") for part in query.split("&")):
        return f"{name}?{query + '&' if query else ''}d={inputs}"
    own = targets.load(source).d
    if own != inputs:
        raise click.UsageError(
            f"The target has d = {own} inputs and the student --inputs {inputs}; they must be the "
            "same. Leave out one of them."
        )
    return source


def _method(rate: float | Literal["auto", "stable"]) -> Descent:
    from netphase.dynamics import Descent

    return Descent(rate)


def film_path(animation: str | None, folder: Path, wanted: bool) -> Path | None:
    """The file of the film, refused before the training if it cannot be made.

    Args:
        animation: what was asked for: a file, "none", or None for the usual place.
        folder: the output folder.
        wanted: whether there are figures at all.

    Returns:
        The path, or None for no film.

    Raises:
        click.UsageError: the name is empty, or a film is asked for without figures.
        ArgumentError: its suffix is unknown.
        MissingDependencyError: ffmpeg is needed and missing.
    """
    from netphase.figures import animation_writer

    if animation == "none":
        return None
    if animation == "":
        raise click.UsageError("Option --animation needs the name of a file, or none.")
    path = folder / FILM if animation is None else Path(animation)
    if wanted or animation is not None:
        animation_writer(path)
    if not wanted and animation is not None:
        raise click.UsageError(
            "--animation asks for a film and --no-figures for none; leave out one."
        )
    return path if wanted else None


def _save(result: xr.Dataset, path: Path) -> Path:
    """Write the record whole or not at all; dimensions of no length are left out."""
    empty = [name for name, size in result.sizes.items() if size == 0]
    with replacing(path) as draft:
        result.drop_dims(empty).to_netcdf(draft, engine="scipy", format="NETCDF3_64BIT")
    return path


def _draw(result: xr.Dataset, folder: Path, film: Path | None) -> list[Path]:
    """Contributions, errors, stems, directions and the film, where something happened."""
    from netphase import figures

    if result.sizes["time"] < 3:
        return []
    drawn = [name for name in DRAWN if name != "directions" or result.sizes["input"] > 1]
    files = []
    for name in drawn:
        files += figures.save(getattr(figures, DRAWN[name])(result), folder / name)
    if film is not None:
        files.append(figures.save_animation(figures.quenching_animation(result), film))
    return files
