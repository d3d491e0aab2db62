"""Options that say how the layers of a deep network are scaled, and the scaling they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netphase.cli.options import alpha_option, init_option, joined
from netphase.cli.values import EXPONENTS, REAL

if TYPE_CHECKING:
    from netphase.scalings import LayerScaling

OWN = ("g", "rates", "beta", "std_exponent")
"""Parameters of `layer_options`."""

KINDS = ("antisymmetric", "centred", "plain")
"""Values of --kind: those of `netphase.networks.OutputKind`, whose import would load NumPy."""

_WAYS = "--init, --g, --beta or --std-exponent"


layer_options = joined(
    click.option(
        "--g",
        type=EXPONENTS,
        help="Layers: exponents g_1 … g_{L+1} of the standard deviations β_l = m^(−g_l), "
        "from the inputs' side, as in 0,0.5,0.5.",
    ),
    click.option(
        "--beta",
        metavar="FORMULAS",
        help='Layers: formulas of β_1 … β_{L+1}, as in "1/sqrt(d), m^-0.5, 1/m".',
    ),
    click.option(
        "--std-exponent",
        type=REAL,
        metavar="C",
        help="Layers: every standard deviation m^(−C), as in 1.5.",
    ),
    click.option(
        "--rates",
        type=EXPONENTS,
        help="Layers: exponents of the learning rates, η_l = m^rate, as in 1,0,-1; "
        "default: those of the initialisation, or equal rates.",
    ),
)
"""The options that only networks of several layers have."""


layer_scaling_options = joined(init_option, alpha_option, layer_options)
"""All options that `chosen_layer_scaling` reads."""


def chosen_layer_scaling(
    options: dict[str, Any], depth: int, inputs: int
) -> tuple[str, LayerScaling] | None:
    """The scaling the options describe, with a name for it.

    Args:
        options: values of `layer_scaling_options`.
        depth: number of hidden layers, L.
        inputs: inputs of a neuron, the bias included.

    Returns:
        Name and scaling, or None where no option was given.

    Raises:
        click.UsageError: the options contradict each other, or do not fit the depth.
        ArgumentError: a name, formula or depth is not usable.
    """
    from netphase.scalings.layer_named import hidden_layers

    hidden_layers(depth)
    given = [name for name in ("init", "g", "beta", "std_exponent") if options[name] is not None]
    if len(given) > 1:
        raise click.UsageError(f"Give an initialisation in one way: {_WAYS}.")
    if not given:
        for name in ("alpha", "rates"):
            if options[name] is not None:
                raise click.UsageError(f"--{name} needs an initialisation beside it: {_WAYS}.")
        return None
    name, scaling = _scaling(given[0], options, depth, inputs)
    if options["alpha"] is not None:
        divided = "output divided by" if given[0] == "init" else "α ="
        name += f", {divided} {options['alpha']}"
        scaling = _divided(scaling, options["alpha"], inputs)
    if options["rates"] is not None:
        _check_count("rates", len(options["rates"]), depth)
        name += f", rates = {_listed(options['rates'])}"
        scaling = scaling.with_learning_rates(options["rates"])
    return name, scaling


def _scaling(
    way: str, options: dict[str, Any], depth: int, inputs: int
) -> tuple[str, LayerScaling]:
    from netphase.scalings import LayerScaling, layer_initialisation, uniform_scaling

    value = options[way]
    if way == "init":
        return str(value), layer_initialisation(value, depth, inputs)
    if way == "std_exponent":
        return f"std m^{-value:g}", uniform_scaling(depth, value)
    if way == "g":
        _check_count("g", len(value), depth)
        return f"g = {_listed(value)}", LayerScaling(g=value)
    texts = tuple(text.strip() for text in value.split(","))
    _check_count("beta", len(texts), depth)
    return f"β = {', '.join(texts)}", LayerScaling.from_formulas(texts, d=inputs)


def _divided(scaling: LayerScaling, alpha: str, inputs: int) -> LayerScaling:
    """The scaling with its output divided by a formula besides."""
    from netphase.scalings import LayerScaling

    *betas, own = scaling.written
    texts = tuple(betas), alpha if own == "1" else f"({own})*({alpha})"
    found = LayerScaling.from_formulas(*texts, d=inputs)
    return found.with_learning_rates(scaling.rates, scaling.rate_prefactors)


def _check_count(option: str, count: int, depth: int) -> None:
    if count != depth + 1:
        what = "formula" if option == "beta" else "exponent"
        raise click.UsageError(
            f"--{option} needs {depth + 1} {what}s, one a layer of weights, for --depth {depth}, "
            f"but has {count}."
        )


def _listed(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{each:g}" for each in numbers)
