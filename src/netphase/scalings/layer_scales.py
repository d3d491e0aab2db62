"""`LayerScales`: the scales of one network of any depth, and what they say of its output."""

from __future__ import annotations

import math
import sys

import msgspec

from netphase._checks import positive_float, positive_int
from netphase.errors import ArgumentError

_LOG_LARGEST = math.log(sys.float_info.max)
_LOG_SMALLEST = math.log(sys.float_info.min)


class LayerScales(msgspec.Struct, frozen=True):
    """The scales of one network of L hidden layers of m neurons each.

    x^[0] = x, x^[l] = σ(W^[l] x^[l−1]) for l = 1 … L, f(x) = (1/α) W^[L+1] x^[L], with entries
    W^[l] ~ N(0, β_l²) and learning rate η_l. Layers are counted from 1, the inputs' side.

    Attributes:
        width: m ≥ 1.
        betas: β_1 … β_{L+1}, > 0.
        rates: η_1 … η_{L+1}, > 0.
        alpha: α > 0, which divides the output.
    """

    width: int
    betas: tuple[float, ...]
    rates: tuple[float, ...]
    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_depth("betas", len(self.betas))
        check_length("rates", len(self.rates), len(self.betas))
        msgspec.structs.force_setattr(self, "width", positive_int("width", self.width))
        msgspec.structs.force_setattr(self, "alpha", positive_float("alpha", self.alpha))
        for name in ("betas", "rates"):
            given = enumerate(getattr(self, name))
            values = tuple(positive_float(f"{name}[{k}]", each) for k, each in given)
            msgspec.structs.force_setattr(self, name, values)
        self._check_range()

    @property
    def depth(self) -> int:
        """Number of hidden layers, L."""
        return len(self.betas) - 1

    @property
    def alphas(self) -> tuple[float, ...]:
        """α_l = √m β_l, the gain of layer l, l = 1 … L+1."""
        return tuple(math.sqrt(self.width) * each for each in self.betas)

    @property
    def kappa(self) -> float:
        """κ = (1/α) Π_l α_l = √m f₀, with f₀ = (β_1/α) Π_{l≥2} √m β_l the size of the output."""
        return math.exp(self._log_kappa)

    @property
    def log_m_kappa(self) -> float:
        """Log κ/log m at this width; prefactors make it differ from its limit.

        Raises:
            ArgumentError: the width is 1, where log m = 0.
        """
        if self.width == 1:
            raise ArgumentError("Argument `width` must be at least 2 for log_m κ, but is 1.")
        return self._log_kappa / math.log(self.width)

    @property
    def shares(self) -> tuple[float, ...]:
        """p_l = (η_l/β_l²)/Σ_j (η_j/β_j²): shares of the tangent kernel if all K^[l] were equal.

        The exact shares, which know the traces of K^[l], are `kernels.DeepKernels.shares`.
        """
        logs = [math.log(r) - 2 * math.log(b) for r, b in zip(self.rates, self.betas, strict=True)]
        parts = [math.exp(each - max(logs)) for each in logs]
        return tuple(each / sum(parts) for each in parts)

    @property
    def _log_kappa(self) -> float:
        gains = math.fsum(math.log(each) for each in self.betas)
        return (self.depth + 1) / 2 * math.log(self.width) + gains - math.log(self.alpha)

    def _check_range(self) -> None:
        """Refuses signals whose squares, which kernels and norms need, are no floats."""
        size = -math.log(self.width) / 2
        for layer, beta in enumerate(self.betas, 1):
            size += math.log(self.width) / 2 + math.log(beta)
            self._check_size(f"The signal in layer {layer}", size)
        self._check_size("The output", size - math.log(self.alpha))
        self._check_size("κ", self._log_kappa)

    def _check_size(self, what: str, log_size: float) -> None:
        if not _LOG_SMALLEST < 2 * log_size < _LOG_LARGEST:
            raise ArgumentError(
                f"{what} must have a size whose square a float64 holds, but at m = {self.width} "
                f"it is 10^{log_size / math.log(10):.0f}. Use exponents nearer to zero, a smaller "
                "width or fewer layers."
            )


def check_depth(name: str, count: int) -> None:
    """Refuses fewer entries than the two layers of weights that one hidden layer has."""
    if count < 2:
        raise ArgumentError(
            f"Argument `{name}` must have L + 1 ≥ 2 entries, one a layer of weights, but has "
            f"{count}: a network needs a hidden layer (depth L ≥ 1)."
        )


def check_length(name: str, count: int, expected: int) -> None:
    """Refuses a number of entries other than that of the layers."""
    if count != expected:
        raise ArgumentError(
            f"Argument `{name}` must have {expected} entries here, one a layer, but has {count}."
        )
