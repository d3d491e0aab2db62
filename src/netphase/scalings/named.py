"""The named initialisations of Table 1, by the words used on a command line."""

from __future__ import annotations

from collections.abc import Callable

from netphase._checks import one_of, positive_int
from netphase.scalings.law import ScalingLaw

_NAMED: dict[str, Callable[[int], ScalingLaw]] = {
    "lecun": ScalingLaw.lecun,
    "he": ScalingLaw.he,
    "xavier": ScalingLaw.xavier,
    "ntk": lambda _: ScalingLaw.ntk(),
    "mean_field": lambda _: ScalingLaw.mean_field(),
    "mup": lambda _: ScalingLaw.mup(),
    "pytorch": ScalingLaw.pytorch_default,
}
_OTHER_NAMES = {
    "glorot": "xavier",
    "kaiming": "he",
    "meanfield": "mean_field",
    "pytorch_default": "pytorch",
}

_LABELS = {
    "lecun": "LeCun",
    "he": "He",
    "xavier": "Xavier",
    "ntk": "NTK",
    "mean_field": "mean field",
    "mup": "μP",
    "pytorch": "PyTorch",
}

INITIALISATIONS: tuple[str, ...] = tuple(_NAMED)
"""The names `initialisation` lists; it also knows glorot, kaiming and pytorch_default."""


def initialisation(name: str, d: int) -> ScalingLaw:
    """The law of a named initialisation.

    Args:
        name: one of `INITIALISATIONS`; case, spaces and hyphens do not matter.
        d: number of inputs of a neuron (the bias included); it enters prefactors only.

    Returns:
        The law.

    Raises:
        ArgumentError: the name is unknown or ``d`` not a positive integer.

    References:
        Luo et al. (JMLR 2021), Table 1.

    Example:
        >>> initialisation("Glorot", d=2).gamma
        1.0
    """
    known = one_of("initialisation", plain_word(name), INITIALISATIONS)
    return _NAMED[known](positive_int("d", d))


def plain_word(name: str) -> str:
    """The word of the tables for a name in any spelling."""
    word = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    return _OTHER_NAMES.get(word, word)


def known_initialisations(d: int = 2) -> dict[str, ScalingLaw]:
    """The table of initialisations that sit at one point of the plane, by their printed names.

    E, Ma & Wu's family is a line (`ScalingLaw.e_ma_wu`) and is not in it.

    Args:
        d: number of inputs of a neuron (the bias included); it enters prefactors only.

    Returns:
        Printed name → law.

    References:
        Luo et al. (JMLR 2021), Table 1 and Fig. 1.
    """
    return {label: initialisation(name, d) for name, label in _LABELS.items()}
