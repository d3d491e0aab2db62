"""What ``netphase where --depth`` prints: one deep network layer by layer, or a table of many."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from netphase.cli.output import new_table, number, short

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_LONG = re.compile(r"\d+\.\d{5,}(e[-+]?\d+)?")
"""Numbers of formulas that nobody wants to read in full."""


def print_layer_initialisations(
    page: Console, rows: list[dict[str, Any]], width: int | None
) -> None:
    """The table of initialisations at one depth.

    Args:
        page: where to print.
        rows: the initialisations, as the JSON document has them.
        width: width of the column of finite width, None for none.
    """
    at_width = width is not None
    table = new_table(
        "initialisation",
        ">log κ/log m",
        *([f">at m = {width}"] if at_width else []),
        "verdict",
        "S of layers 1 … L+1",
        "layers that move",
    )
    for row in rows:
        table.add_row(
            row["name"],
            short(row["log_m_kappa"]),
            *([short(row["log_m_kappa_at_width"])] if at_width else []),
            f"{row['verdict']} ({row['alias']})",
            ", ".join(number(each, 2) for each in row["operator"]),
            ", ".join(map(str, row["moving"])) or "none",
        )
    page.print(table)
    page.print(
        "S: exponents in the width of the relative changes of the weights, in the operator norm; "
        "in the Frobenius norm those of hidden matrices are 1/2 less."
    )


def print_layers(page: Console, content: dict[str, Any]) -> None:
    """One scaling for a reader.

    Args:
        page: where to print.
        content: what the JSON document has.
    """
    depth = content["depth"]
    layers = f"{depth} hidden layer{'s' if depth > 1 else ''}"
    page.print(f"[bold]{content['name']}[/bold], {layers}")
    kappa = f"log κ/log m = {short(content['log_m_kappa'])} as m → ∞"
    if content["log_m_kappa_at_width"] is not None:
        kappa += (
            f", {short(content['log_m_kappa_at_width'])} at m = {content['width']} and "
            f"d = {content['inputs']}"
        )
    page.print(f"  {kappa}: [bold]{content['verdict']}[/bold] ({content['alias']})")
    plane = f", γ' = {short(content['gamma_prime'])}" if depth == 1 else ""
    page.print(
        f"  γ = {short(content['gamma'])}{plane}; θ-lazy below γ = (L+1)/2 = "
        f"{short(content['gamma_critical'])}"
    )
    page.print(_layer_table(content))
    expected = content["expected"]
    share = f"p = tr Θ_l/tr Θ at m = {content['width']}"
    if expected is None:
        share = "its limit as m → ∞ if all layers' kernels had one trace"
    page.print(
        f"p: share of the tangent kernel, {share}; S: exponents in the width of the relative "
        "change RD of the weights, in the operator (op) and in the Frobenius (F) norm."
    )
    if expected:
        _print_expected(page, expected)
    elif content["width"] is not None:
        page.print(f"No sizes: the data have other than {content['inputs']} inputs.")
    page.print("[bold]What to change[/bold]")
    for each in content["recommendations"]:
        moving = ", ".join(map(str, each["moving"])) or "none"
        page.print(
            f"  {each['goal']}: {each['change']} → {each['verdict']}, layers that move: {moving}"
        )


def _layer_table(content: dict[str, Any]) -> Table:
    sizes = content["expected"] is not None
    lazy = sizes and content["layers"][0]["expected_operator"] is not None
    at = f" at m = {content['width']}"
    table = new_table(
        "layer",
        "β",
        ">g",
        ">rate",
        ">share exponent",
        ">p",
        ">S op",
        ">S F",
        "layer is",
        *([f">RD op{at}", f">RD F{at}"] if lazy else []),
    )
    for each, beta in zip(content["layers"], content["formulas"]["betas"], strict=True):
        place = {1: " (inputs)", content["depth"] + 1: " (output)"}.get(each["layer"], "")
        table.add_row(
            f"{each['layer']}{place}",
            _LONG.sub(lambda found: short(float(found[0])), beta),
            short(each["g"]),
            short(each["rate"]),
            short(each["share_exponent"]),
            short(each["share"] if sizes else each["share_limit"], 3),
            number(each["operator"]),
            number(each["frobenius"]),
            f"{each['regime']} ({each['alias']})",
            *(
                [short(each["expected_operator"]), short(each["expected_frobenius"])]
                if lazy
                else []
            ),
        )
    return table


def _print_expected(page: Console, expected: dict[str, Any]) -> None:
    """The sizes of the network at a width."""
    where = f"{expected['activation']} on {expected['data']}"
    page.print(f"  {where}: λ_min(Θ) = {short(expected['least_eigenvalue'])}", end="")
    if expected["decay_rate"] is not None:
        page.print(
            f"; the loss decays as exp(−{short(expected['decay_rate'])} t) in the end", end=""
        )
    page.print(f" ({expected['basis']})")
