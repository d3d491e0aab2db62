"""Options that several commands share, and the scaling law and data set they describe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from netphase.cli.values import POSITIVE, REAL

if TYPE_CHECKING:
    from netphase.scalings import ScalingLaw

Function = TypeVar("Function", bound=Callable[..., Any])

FORMULAS = ("alpha", "beta1", "beta2")
"""Options that are formulas for a scale."""


class Decorator(Protocol):
    """What adds an option to a command."""

    def __call__(self, function: Function, /) -> Function:
        """The command with the option."""
        ...


def joined(*options: Decorator) -> Decorator:
    """One decorator for several options, which ``--help`` lists in their order."""

    def decorated(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorated


def data_option_with(default: str) -> Decorator:
    """The option --data, with the data that are used if none are asked for."""
    return click.option(
        "--data",
        default=default,
        show_default=True,
        metavar="NAME|FILE",
        help="A built-in data set, or a file: .npz with arrays x and y, or .csv with the target "
        "last.",
    )


def folder_option(default: str | Path, text: str) -> Decorator:
    """The option --output of commands that write several files.

    Args:
        default: the folder that is used if none is asked for.
        text: what is written to it.

    Returns:
        A decorator of commands.
    """
    return click.option(
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        default=default,
        show_default=True,
        metavar="FOLDER",
        help=text,
    )


def figures_option_with(text: str) -> Decorator:
    """The option --figures/--no-figures."""
    return click.option("--figures/--no-figures", default=True, help=text)


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of text."
)

activation_option = click.option(
    "--activation",
    default="relu",
    show_default=True,
    metavar="NAME",
    help="relu, leaky_relu, tanh, x_tanh, x2_tanh, erf, sigmoid, softplus, gelu, centred_sigmoid "
    "or centred_softplus.",
)

data_option = data_option_with("four_points")

tolerance_option = click.option(
    "--tolerance",
    type=POSITIVE,
    default=1e-6,
    show_default=True,
    help="Stop when the mean square error (1/n) Σ e² falls below this.",
)

dtype_option = click.option(
    "--dtype",
    type=click.Choice(["float64", "float32"]),
    default="float64",
    show_default=True,
    help="Precision of the arithmetic.",
)

antisymmetric_option = click.option(
    "--antisymmetric/--plain",
    default=True,
    show_default=True,
    help="Start at zero output with a second, opposite copy of the network, or without one.",
)

workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Runs at a time; default: one a processor."
)

film_options = joined(
    click.option(
        "--animation",
        metavar="FILE|none",
        help="Where to save the film: .gif, .apng or .png (animated PNG), .mp4 (needs ffmpeg), or "
        "none. Default: neurons.gif in the output folder.",
    ),
    figures_option_with("Draw figures and the film, or print and save numbers only."),
)
"""Options of commands that film a network."""

init_option = click.option("--init", metavar="NAME", help="Named initialisation, as in --init he.")

alpha_option = click.option(
    "--alpha", metavar="FORMULA", help="α, which divides the output, as in sqrt(m)."
)


law_options = joined(
    init_option,
    alpha_option,
    click.option("--beta1", metavar="FORMULA", help="Std of the output weights, as in m^-0.5."),
    click.option("--beta2", metavar="FORMULA", help="Std of the input weights, as in d^-0.5."),
    click.option(
        "--rate-ratio",
        metavar="FORMULA",
        help="Learning rate of the output weights over that of the input weights, as in m^-2; "
        "default 1.",
    ),
    click.option("--gamma", type=REAL, help="γ, from κ = β1 β2/α = m^(−γ)."),
    click.option("--gamma-prime", type=REAL, help="γ', from κ' = β1/β2 = m^(−γ')."),
)
"""Options that say where a network starts: a name, formulas, or a point of the plane."""


def chosen_law(options: dict[str, Any], d: int) -> tuple[str, ScalingLaw] | None:
    """The law the options describe, with a name for it.

    Args:
        options: values of `law_options`.
        d: inputs of a neuron, the bias included.

    Returns:
        Name and law, or None where no option was given.

    Raises:
        click.UsageError: the options contradict each other.
        ArgumentError: a name or formula is not usable.
    """
    from netphase.scalings import ScalingLaw, initialisation, leading_power

    formulas = {name: options[name] for name in FORMULAS if options[name] is not None}
    point = options["gamma"] is not None or options["gamma_prime"] is not None
    ways = [options["init"] is not None, bool(formulas), point]
    if sum(ways) > 1:
        raise click.UsageError(
            "Give an initialisation in one way: --init, or the formulas --alpha, --beta1, --beta2, "
            "or --gamma and --gamma-prime."
        )
    if not any(ways):
        if options["rate_ratio"] is not None:
            raise click.UsageError(
                "--rate-ratio needs an initialisation beside it, as in --init he."
            )
        return None
    if options["init"] is not None:
        name, law = options["init"], initialisation(options["init"], d)
    elif formulas:
        name = ", ".join(f"{key} = {text}" for key, text in formulas.items())
        law = ScalingLaw.from_formulas(**formulas, d=d)
    else:
        if options["gamma"] is None:
            raise click.UsageError("--gamma-prime needs --gamma beside it.")
        gamma_prime = options["gamma_prime"] or 0.0
        name = f"point ({options['gamma']:g}, {gamma_prime:g})"
        law = ScalingLaw.from_gamma(options["gamma"], gamma_prime)
    if options["rate_ratio"] is not None:
        rates = leading_power(options["rate_ratio"], d)
        law = law.with_learning_rates(rates.exponent, rates.prefactor)
        name += f", rate ratio = {options['rate_ratio']}"
    return name, law
