"""The law P_A of the initial output weights, as atoms with probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from netphase._checks import finite_array, one_of, positive_int
from netphase._types import Array
from netphase.errors import ArgumentError

OUTPUT_LAWS = ("gaussian", "uniform", "rademacher")
"""Laws P_A of the output weights, all of mean 0 and variance 1."""

Rule: TypeAlias = Literal["quantiles", "quadrature"]
"""How atoms stand for a density: quantiles of equal weight, or the nodes of a Gauss rule."""

Law: TypeAlias = str | Sequence[float] | Array | Callable[[Array], Array]
"""P_A: a name or a text, atoms, or a quantile function on (0, 1)."""

ATOMS = 200
"""Atoms that stand for a density where no number is given."""

SUM_SLACK = 1e-9
"""How far from one the sum of weights may be."""

LARGEST = 1e100
"""The largest size of output weights, and one over the least."""

SAME = 1e-9
"""Atoms closer than this part of the largest are one."""


@dataclass(frozen=True, eq=False)
class OutputAtoms:
    """P_A as Σ_i w_i δ(a − a_i).

    Attributes:
        atoms: a_i, shape (m,).
        weights: w_i, positive, of sum one, shape (m,).
        name: what it is called.
        density: whether the atoms stand for a law with a density.
        inverse: quantile function of that law, if it has one.
    """

    atoms: Array
    weights: Array
    name: str
    density: bool = False
    inverse: Callable[[Array], Array] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        largest = float(np.abs(self.atoms).max())
        if largest != 0.0 and not 1.0 / LARGEST <= largest <= LARGEST:
            raise ArgumentError(
                f"Argument `outputs` must hold atoms whose largest is 0 or from {1 / LARGEST:g} to "
                f"{LARGEST:g} in size, but it is {largest:g}: its square would leave float64."
            )

    def quantiles(self, levels: Array) -> Array:
        """Quantiles of P_A: of the density itself where there is one, otherwise of the atoms.

        Args:
            levels: in (0, 1), any shape.

        Returns:
            Same shape.
        """
        if self.inverse is not None:
            return np.asarray(self.inverse(levels))
        order = np.argsort(self.atoms, kind="stable")
        place = np.searchsorted(np.cumsum(self.weights[order]), levels, side="right")
        return np.asarray(self.atoms[order][np.minimum(place, len(order) - 1)])

    @property
    def mean(self) -> float:
        """⟨a⟩."""
        return float(self.weights @ self.atoms)

    @property
    def variance(self) -> float:
        """⟨a²⟩ − ⟨a⟩²; zero where all atoms are one."""
        return 0.0 if self.distinct == 1 else float(self.weights @ (self.atoms - self.mean) ** 2)

    @property
    def one_sign(self) -> bool:
        """Whether no two atoms have different signs."""
        return bool(np.all(self.atoms >= 0.0) or np.all(self.atoms <= 0.0))

    @property
    def distinct(self) -> int:
        """Number of different atoms."""
        ordered = np.sort(self.atoms)
        return 1 + int(np.sum(np.diff(ordered) > SAME * np.abs(self.atoms).max()))


def output_atoms(
    law: Law | OutputAtoms,
    count: int | None = None,
    rule: Rule = "quantiles",
    weights: Array | None = None,
) -> OutputAtoms:
    """P_A as atoms with probabilities.

    A text is a name of `OUTPUT_LAWS`, "uniform:200" for a number of quantiles,
    "gaussian:40:quadrature" for the nodes of a Gauss rule, "-1.5,-0.5,0.4,1.7" for atoms of equal
    weight, or "-1@0.25,1@0.75" for atoms with weights.

    Quantiles, at levels (i + ½)/m, are as even as a random draw is on average; a Gauss rule of m
    nodes has all moments of P_A up to 2m − 1. With either, extreme atoms decide what a law with a
    density does at small ε.

    Args:
        law: a text, atoms, a quantile function of levels in (0, 1), or what this returns.
        count: atoms that stand for a density, `ATOMS` by default.
        rule: "quantiles" or "quadrature".
        weights: of given atoms, shape (m,); None for equal ones.

    Returns:
        Atoms and weights.

    Raises:
        ArgumentError: the text is not understood, or an argument does not go with the law.

    Example:
        >>> output_atoms("-1@0.25,1@0.75").mean
        0.5
        >>> output_atoms("gaussian:3:quadrature").atoms.round(4) + 0.0
        array([-1.7321,  0.    ,  1.7321])
    """
    if isinstance(law, OutputAtoms):
        _unused("law", "what `output_atoms` returned", count, weights)
        return law
    if isinstance(law, str):
        if weights is not None:
            raise ArgumentError(
                f"Argument `weights` goes with atoms given as numbers, but `law` is {law!r}."
            )
        return _of_text(law, count, rule)
    if callable(law):
        _unused("law", "a quantile function", None, weights)
        return _of_density(str(getattr(law, "__name__", "density")), law, count, rule)
    atoms = finite_array("atoms", law, 1).astype(np.float64)
    _unused("law", "a list of atoms", count, None)
    return OutputAtoms(atoms, probabilities(atoms, weights), f"{len(atoms)} atoms")


def probabilities(atoms: Array, weights: Array | None) -> Array:
    """Probabilities of atoms, checked.

    Args:
        atoms: shape (m,).
        weights: positive, of sum one, shape (m,); None for equal ones.

    Returns:
        Shape (m,).

    Raises:
        ArgumentError: ``weights`` have another length, are not positive or do not sum to one.
    """
    if weights is None:
        return np.full(len(atoms), 1.0 / len(atoms))
    w = finite_array("weights", weights, 1).astype(np.float64)
    if len(w) != len(atoms):
        raise ArgumentError(
            f"Argument `weights` must have one entry for each of the {len(atoms)} atoms, but has "
            f"{len(w)}."
        )
    total = math.fsum(w)
    if np.any(w <= 0.0) or abs(total - 1.0) > SUM_SLACK:
        raise ArgumentError(
            f"Argument `weights` must be positive and sum to one, but sums to {total!r}, with "
            f"{float(np.min(w))!r} as its least. Divide positive weights by their sum."
        )
    return w


def law_quantiles(law: str, levels: Array) -> Array:
    """Quantiles of a named law.

    Args:
        law: one of `OUTPUT_LAWS`.
        levels: in (0, 1), any shape.

    Returns:
        Same shape.

    Raises:
        ArgumentError: the name is not known.
    """
    name = one_of("outputs", law, OUTPUT_LAWS)
    if name == "uniform":
        return np.asarray(math.sqrt(3) * (2 * levels - 1))
    if name == "rademacher":
        return np.where(levels < 0.5, -1.0, 1.0)
    from scipy.special import ndtri

    return np.asarray(ndtri(levels))


def _unused(name: str, what: str, count: int | None, weights: Array | None) -> None:
    for other, value in (("count", count), ("weights", weights)):
        if value is not None:
            raise ArgumentError(f"Argument `{other}` must be left out where `{name}` is {what}.")


def _of_text(text: str, count: int | None, rule: str) -> OutputAtoms:
    if any(sign in text for sign in ",@") or _is_number(text):
        return _listed(text, count)
    name, *options = text.split(":")
    if len(options) > 2 or (options and count is not None):
        raise _misread(text)
    if options:
        if not options[0].isdigit():
            raise _misread(text)
        count = int(options[0])
        rule = options[1] if len(options) == 2 else rule
    law = one_of("outputs", name, OUTPUT_LAWS)
    if law == "rademacher":
        _unused("law", "'rademacher', which has two atoms", count, None)
        return OutputAtoms(np.array([-1.0, 1.0]), np.full(2, 0.5), law)
    return _of_density(law, lambda levels: law_quantiles(law, levels), count, rule)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _listed(text: str, count: int | None) -> OutputAtoms:
    """Atoms, with or without weights."""
    _unused("law", "a list of atoms", count, None)
    pairs = [part.split("@") for part in text.split(",") if part.strip()]
    try:
        table = [[float(each) for each in pair] for pair in pairs]
    except ValueError:
        raise _misread(text) from None
    lengths = {len(row) for row in table}
    if lengths not in ({1}, {2}):
        raise _misread(text)
    columns = np.array(table).T
    atoms = finite_array("atoms", columns[0], 1)
    return OutputAtoms(atoms, probabilities(atoms, columns[1] if 2 in lengths else None), text)


def _misread(text: str) -> ArgumentError:
    return ArgumentError(
        f"Argument `outputs` must be a law ({', '.join(OUTPUT_LAWS)}) or atoms, but is {text!r}. "
        "Write uniform:200, gaussian:40:quadrature, -1.5,-0.5,0.4,1.7 or -1@0.25,1@0.75."
    )


def _of_density(name: str, quantile: Any, count: int | None, rule: str) -> OutputAtoms:
    m = ATOMS if count is None else positive_int("count", count)
    kind = one_of("rule", rule, get_args(Rule))
    label = f"{name}:{m}" + (":quadrature" if kind == "quadrature" else "")
    if kind == "quadrature":
        from scipy.special import roots_hermitenorm, roots_legendre

        if name == "gaussian":
            atoms, w = roots_hermitenorm(m)
        else:
            nodes, w = roots_legendre(m)
            atoms = quantile((nodes + 1) / 2)
        kept = w > np.finfo(np.float64).tiny  # the outermost weights may underflow
        atoms, w = atoms[kept], w[kept] / w[kept].sum()
    else:
        atoms, w = quantile((np.arange(m) + 0.5) / m), np.full(m, 1.0 / m)
    return OutputAtoms(finite_array("atoms", atoms, 1).astype(np.float64), w, label, True, quantile)
