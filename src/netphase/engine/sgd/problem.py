"""What a run of projected SGD takes, and how the compiled engine computes its two functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from netphase import activations
from netphase.hermite import HermiteSeries
from netphase.hermite.expansion import Ramp, ScaledErf

BLOCK = 8
"""Samples that are drawn together."""


class CompiledCurve(NamedTuple):
    """How the compiled engine computes a function, A(scale·z + shift) or a Hermite series.

    Attributes:
        code: of A, as of `Activation`; −1 for a series.
        scale: factor of z.
        shift: added to it.
        coefficients: of the series, shape (K,).
    """

    code: int
    scale: float = 1.0
    shift: float = 0.0
    coefficients: tuple[float, ...] = ()


def compiled_curve(series: HermiteSeries) -> CompiledCurve | None:
    """How the engine computes a function, or None where only Python knows it."""
    function = series.function
    if isinstance(function, Ramp):
        return CompiledCurve(_code("relu"), shift=function.shift)
    if isinstance(function, ScaledErf):
        return CompiledCurve(_code("erf"), scale=function.scale)
    if series.finite:
        return CompiledCurve(-1, coefficients=tuple(float(each) for each in series.coefficients))
    known = (activations.get(name) for name in activations.NAMES)
    return next((CompiledCurve(_code(each.name)) for each in known if each.value is function), None)


def _code(name: str) -> int:
    code = activations.get(name).code
    assert code is not None
    return code


@dataclass(frozen=True)
class SgdProblem:
    """Projected SGD of f(x) = (1/m) Σ a_i σ(u_i·x) on φ(u*·x) + noise, x ~ N(0, I_d).

    Attributes:
        activation: σ.
        target: φ.
        inputs: d.
        rate_a: η/ε, 0 for a second layer that stands still.
        rate_w: η.
        batch: B, samples a step.
        noise: standard deviation τ of the label noise.
        room: 0 where the weights are kept as they are; else the new directions that the reduced
            coordinates take up before they are compressed, a multiple of `BLOCK`.
    """

    activation: HermiteSeries
    target: HermiteSeries
    inputs: int
    rate_a: float
    rate_w: float
    batch: int = 1
    noise: float = 0.0
    room: int = 0

    @property
    def drawn(self) -> int:
        """B, rounded up to whole blocks."""
        return -(-self.batch // BLOCK) * BLOCK
