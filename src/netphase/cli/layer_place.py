"""``netphase where --depth``: the place of a deep network, layer by layer, and what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netphase.cli.layer_options import OWN, chosen_layer_scaling
from netphase.cli.layer_place_report import print_layer_initialisations, print_layers
from netphase.cli.output import present
from netphase.cli.stages import given

if TYPE_CHECKING:
    from netphase.datasets import Dataset
    from netphase.kernels import DeepKernels
    from netphase.scalings import LayerPrediction, LayerScaling, Recommendation

LAYERS_HELP = """
With --depth L: a network of L hidden layers, f = (1/α) W_{L+1} σ(W_L … σ(W_1 x)), whose
weights have the standard deviations β_l = m^(−g_l) and the learning rates η_l. It is θ-lazy where
κ = (1/α) Π √m β_l grows with m. Names: lecun, he, xavier, ntk, mean_field, multilayer_mean_field,
mup, mup_one_rate, pytorch; or --g, --beta or --std-exponent; --alpha and --rates beside any of
them. Layer by layer: the share of the tangent kernel, the exponent S of the relative change of the
weights in the operator and in the Frobenius norm, and whether the layer moves; then what to change.
With --width also sizes, of networks of --activation on --data: exact shares of the trace of the
tangent kernel, relative changes without a free parameter, and the rate at which the loss decays.

\b
Examples:
  netphase where --depth 2 --g 0,0.5,1 --rates 1,0,-1
  netphase where --depth 2 --beta "1/sqrt(d), m^-0.5, 1/m" --alpha "m^0.5"
  netphase where --depth 3 --std-exponent 1.5

\b
JSON fields with --depth: name, depth, inputs, width, g, rates, alpha (exponents), formulas
{betas, alpha}, gamma, gamma_prime (null for L > 1), gamma_critical, log_m_kappa,
log_m_kappa_at_width, verdict, alias, layers [{layer, g, rate, share_exponent, share_limit,
operator, frobenius, regime, alias, share, expected_operator, expected_frobenius}],
antisymmetric, expected {activation, data, least_eigenvalue, decay_rate, basis} or null,
recommendations [{goal, name, change, g, rates, alpha, formulas, verdict, moving}].
Of the table: depth, width, initialisations [{name, gamma, gamma_prime, log_m_kappa,
log_m_kappa_at_width, verdict, alias, operator, frobenius, moving}].
"""

_PLANE_ONLY = ("beta1", "beta2", "rate_ratio", "gamma", "gamma_prime", "output")
_LAYERS_ONLY = (*OWN, "activation", "antisymmetric")


def refuse_layer_options(ctx: click.Context) -> None:
    """Refuse options of deep networks where there is no --depth.

    Raises:
        click.UsageError: there is one.
    """
    for name in _LAYERS_ONLY:
        if given(ctx, name):
            raise click.UsageError(
                f"{_option(name)} is for networks of several layers; give --depth L beside it."
            )


def place_layers(
    ctx: click.Context, options: dict[str, Any], inputs: int, data: Dataset | None
) -> None:
    """Place a deep network, or list the known initialisations of its depth.

    Args:
        ctx: the call.
        options: values of the options of ``netphase where``.
        inputs: inputs of a neuron.
        data: data set of the sizes, None where there is none with so many inputs.

    Raises:
        click.UsageError: an option does not fit --depth.
        ArgumentError: the scaling is not usable, or not at this width.
    """
    for name in _PLANE_ONLY:
        if given(ctx, name):
            raise click.UsageError(
                f"{_option(name)} is for two layers; with --depth, give --init, --g, --beta or "
                "--std-exponent, and --alpha and --rates."
            )
    chosen = chosen_layer_scaling(options, options["depth"], inputs)
    if chosen is None or options["width"] is None:
        _refuse_sizes(ctx, "an initialisation" if chosen is None else "--width")
    if chosen is None:
        _list_all(options, inputs)
        return
    if data is None and given(ctx, "activation"):
        raise click.UsageError(f"--activation needs --data of {inputs} inputs beside it.")
    content = describe_layers(*chosen, options, inputs, data)
    present("where", content, lambda page: print_layers(page, content), (), options["as_json"])


def describe_layers(
    name: str,
    scaling: LayerScaling,
    options: dict[str, Any],
    inputs: int,
    data: Dataset | None,
) -> dict[str, Any]:
    """Everything known about a scaling, as the JSON document has it.

    Args:
        name: what to call it.
        scaling: the scaling.
        options: values of --width, --activation and --antisymmetric.
        inputs: inputs of a neuron.
        data: data set of the sizes, None where there is none with so many inputs.

    Returns:
        The fields of the document.
    """
    from netphase.scalings import predicted_layers, recommendations

    width, antisymmetric = options["width"], options["antisymmetric"]
    layers = [
        _layer(scaling, each) for each in predicted_layers(scaling, antisymmetric=antisymmetric)
    ]
    expected = None
    if width is not None and data is not None:
        expected = _expect(layers, scaling, data, options)
    return {
        "name": name,
        "depth": scaling.depth,
        "inputs": inputs,
        "width": width,
        **_scales(scaling),
        **_verdict(scaling, width),
        "gamma_critical": scaling.gamma_c,
        "layers": layers,
        "antisymmetric": antisymmetric,
        "expected": expected,
        "recommendations": [_advice(each) for each in recommendations(scaling)],
    }


def _refuse_sizes(ctx: click.Context, missing: str) -> None:
    """Refuse what only the sizes at a width depend on, where none are asked for."""
    for name in ("activation", "antisymmetric"):
        if given(ctx, name) and (name == "activation" or missing != "--width"):
            raise click.UsageError(f"{_option(name)} needs {missing} beside it.")


def _option(name: str) -> str:
    return "--antisymmetric/--plain" if name == "antisymmetric" else f"--{name.replace('_', '-')}"


def _scales(scaling: LayerScaling) -> dict[str, Any]:
    *betas, alpha = scaling.written
    return {
        "g": scaling.g,
        "rates": scaling.rates,
        "alpha": scaling.alpha,
        "formulas": {"betas": betas, "alpha": alpha},
    }


def _verdict(scaling: LayerScaling, width: int | None) -> dict[str, Any]:
    from netphase.scalings import laziness

    verdict = laziness(scaling)
    at_width = None if width is None else round(scaling.at_width(width).log_m_kappa, 12) + 0.0
    return {
        "gamma": scaling.gamma,
        "gamma_prime": scaling.gamma_prime if scaling.depth == 1 else None,
        "log_m_kappa": scaling.log_m_kappa,
        "log_m_kappa_at_width": at_width,
        "verdict": verdict.value,
        "alias": verdict.alias,
    }


def _layer(scaling: LayerScaling, each: LayerPrediction) -> dict[str, Any]:
    return {
        "layer": each.layer,
        "g": scaling.g[each.layer - 1],
        "rate": scaling.rates[each.layer - 1],
        "share_exponent": each.share_exponent,
        "share_limit": each.share,
        "operator": each.operator,
        "frobenius": each.frobenius,
        "regime": each.regime.value,
        "alias": each.regime.alias,
        "share": None,
        "expected_operator": None,
        "expected_frobenius": None,
    }


def _expect(
    layers: list[dict[str, Any]], scaling: LayerScaling, data: Dataset, options: dict[str, Any]
) -> dict[str, Any]:
    """Sizes at a width: those of layers go into ``layers``, those of the network come back."""
    from netphase import kernels

    found = kernels.deep_kernels(data.x, scaling.at_width(options["width"]), options["activation"])
    for layer, share in zip(layers, found.shares, strict=True):
        layer["share"] = share
    rate, basis = _lazy_sizes(layers, found, scaling, data, options["antisymmetric"])
    return {
        "activation": found.activation,
        "data": data.name,
        "least_eigenvalue": found.least_eigenvalue,
        "decay_rate": rate,
        "basis": basis,
    }


def _lazy_sizes(
    layers: list[dict[str, Any]],
    found: DeepKernels,
    scaling: LayerScaling,
    data: Dataset,
    antisymmetric: bool,
) -> tuple[float | None, str]:
    """The rate of the loss, and on what basis it and the changes of the layers stand."""
    from netphase import kernels
    from netphase.errors import ArgumentError
    from netphase.scalings import Laziness, laziness

    if laziness(scaling) is not Laziness.THETA_LAZY:
        return None, "no parameter-free sizes hold outside the θ-lazy area"
    try:
        changes = kernels.predicted_layer_changes(found, data.y, antisymmetric)
    except ArgumentError as error:  # a singular kernel: the place is worth more than the sizes
        return None, str(error)
    for layer, operator, frobenius in zip(layers, *changes, strict=True):
        layer["expected_operator"] = float(operator)
        layer["expected_frobenius"] = float(frobenius)
    start = "antisymmetric start" if antisymmetric else "start at a small output"
    return found.decay_rate(antisymmetric), f"linearised network, {start}; off by m^(−1/2) and 1/κ"


def _advice(each: Recommendation) -> dict[str, Any]:
    return {
        "goal": each.goal.value,
        "name": each.name,
        "change": each.change,
        **_scales(each.scaling),
        "verdict": each.verdict.value,
        "moving": each.moving,
    }


def _list_all(options: dict[str, Any], inputs: int) -> None:
    """The table of known initialisations at one depth."""
    from netphase.scalings import LAYER_INITIALISATIONS, layer_initialisation

    rows = [
        _row(name, layer_initialisation(name, options["depth"], inputs), options["width"])
        for name in LAYER_INITIALISATIONS
    ]
    width = options["width"]
    present(
        "where",
        {"depth": options["depth"], "width": width, "initialisations": rows},
        lambda page: print_layer_initialisations(page, rows, width),
        (),
        options["as_json"],
    )


def _row(name: str, scaling: LayerScaling, width: int | None) -> dict[str, Any]:
    from netphase.scalings import Regime, predicted_layers

    layers = predicted_layers(scaling)
    return {
        "name": name,
        **_verdict(scaling, width),
        "operator": [each.operator for each in layers],
        "frobenius": [each.frobenius for each in layers],
        "moving": [each.layer for each in layers if each.regime is not Regime.LINEAR],
    }
