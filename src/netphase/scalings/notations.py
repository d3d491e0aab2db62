"""One network in the notations of other papers: what each symbol means, and its value here."""

from __future__ import annotations

import math

import msgspec

from netphase._checks import positive_int
from netphase.scalings.law import ScalingLaw

_EQUAL_RATES = (
    "It describes networks whose two layers start at one and learn equally fast, that is κ′ = 1."
)


class Notation(msgspec.Struct, frozen=True):
    """One symbol of one notation.

    Attributes:
        name: whose notation it is.
        symbol: the symbol there.
        value: its value at the width asked for.
        exponent: its exponent in the width, value ~ m^exponent at large m.
        definition: what it means, in words.
        lazy_limit: where the linear (lazy) limit lies: ``"large"`` or ``"small"``, or "" where
            the symbol alone does not decide.
    """

    name: str
    symbol: str
    value: float
    exponent: float
    definition: str
    lazy_limit: str = ""


def notations(law: ScalingLaw, m: int, d: int) -> tuple[Notation, ...]:
    """The translation table between notations, at one width.

    The entries that other papers define through the network with unit parameters,
    C·Σ_k ā_k σ(w̄_k·x) or C·Σ_k ā_k σ(w̄_k·x/√d), are exact for homogeneous activations (or where
    β₂ is 1, respectively 1/√d); they describe equal learning rates of ā and w̄, so κ′ = 1.

    Args:
        law: the law.
        m: width, ≥ 1.
        d: number of inputs of a neuron (the bias included), ≥ 1.

    Returns:
        One entry a symbol; equal symbols of different papers are separate entries.

    Raises:
        ArgumentError: ``m`` or ``d`` is not a positive integer.

    References:
        Luo et al. (JMLR 2021); Chizat, Oyallon & Bach (NeurIPS 2019); Geiger, Spigler, Jacot &
        Wyart (2020); Bordelon & Pehlevan (NeurIPS 2022).
    """
    m, d = positive_int("width", m), positive_int("d", d)
    return _own(law, m) + _others(law, m, d)


def _own(law: ScalingLaw, m: int) -> tuple[Notation, ...]:
    s = law.at_width(m)
    ours = "this package and Luo et al."
    return (
        Notation(ours, "α", s.alpha, law.alpha, "the number that divides the output sum"),
        Notation(ours, "β₁", s.beta1, law.beta1, "standard deviation of the output weights a"),
        Notation(ours, "β₂", s.beta2, law.beta2, "standard deviation of the input weights w"),
        Notation(
            ours,
            "η_a/η_w",
            s.rate_ratio,
            law.rate_ratio,
            "learning rate of the output weights over that of the input weights",
        ),
        Notation(
            ours,
            "κ",
            s.kappa,
            -law.gamma,
            "β₁β₂/α, the size of one neuron's contribution to the output; its exponent is −γ",
        ),
        Notation(
            ours,
            "κ′",
            s.kappa_prime,
            -law.gamma_prime,
            "(β₁/β₂)·√(η_w/η_a), how fast input weights move relative to output weights; its "
            "exponent is −γ′",
        ),
        Notation(
            "the code of Luo et al.",
            "alpha",
            1 / s.alpha,
            -law.alpha,
            "the number that multiplies the output sum, 1/α",
        ),
    )


def _others(law: ScalingLaw, m: int, d: int) -> tuple[Notation, ...]:
    kappa, root_d = law.at_width(m).kappa, math.sqrt(d)
    chizat, geiger, mean_field = (
        "Chizat, Oyallon & Bach (lazy training)",
        "Geiger et al. (feature and lazy training)",
        "mean-field and μP literature (Bordelon & Pehlevan)",
    )
    return (
        Notation(
            chizat,
            "α(m)",
            kappa,
            -law.gamma,
            "the number that multiplies the sum over neurons with unit parameters, "
            f"α(m)·Σ ā σ(w̄·x). {_EQUAL_RATES}",
        ),
        Notation(
            chizat,
            "m·α(m)",
            m * kappa,
            1 - law.gamma,
            "the lazy scale: the factor in front of the mean over neurons with unit parameters. "
            f"{_EQUAL_RATES}",
            "large",
        ),
        Notation(
            geiger,
            "α",
            math.sqrt(m) * kappa * root_d,
            0.5 - law.gamma,
            "the factor in front of the network in its NTK form, α·h^(-1/2)·Σ ā σ(w̄·x/√d), with "
            f"h the width. {_EQUAL_RATES}",
        ),
        Notation(
            geiger,
            "√h·α",
            m * kappa * root_d,
            1 - law.gamma,
            "the same factor times the root of the width h, on which alone the regime depends. "
            f"{_EQUAL_RATES}",
            "large",
        ),
        Notation(
            mean_field,
            "γ₀",
            1 / (m * kappa * root_d),
            law.gamma - 1,
            "richness: the network is (1/(γ₀N))·Σ ā σ(w̄·x/√D), with N the width and D the number "
            f"of inputs. {_EQUAL_RATES}",
            "small",
        ),
    )
