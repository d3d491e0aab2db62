"""`ScalingLaw` (how the scales depend on the width) and `Scales` (their values at one width)."""

from __future__ import annotations

import math

import msgspec

from netphase._checks import finite_float, positive_float, positive_int
from netphase.errors import ArgumentError
from netphase.scalings.formulas import evaluate, leading_power, substitute_d
from netphase.scalings.theory import Exponents, Regime, predicted_exponents, regime_at
from netphase.scalings.zones import Zone, zone_at


class Scales(msgspec.Struct, frozen=True):
    """The scales of one network: f(x) = (1/α) Σ_k a_k σ(w_k·x), a_k ~ N(0, β₁²), w_k ~ N(0, β₂² I).

    Attributes:
        alpha: α > 0, which divides the output.
        beta1: β₁ > 0, standard deviation of the output weights.
        beta2: β₂ > 0, standard deviation of the input weights.
        rate_ratio: η_a/η_w, learning rate of the output weights over that of the input weights;
            the clock below belongs to √(η_a η_w) = 1.
    """

    alpha: float
    beta1: float
    beta2: float
    rate_ratio: float = 1.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            positive_float(name, getattr(self, name))

    @property
    def kappa(self) -> float:
        """κ = β₁β₂/α, the size of one neuron's contribution."""
        return self.beta1 * self.beta2 / self.alpha

    @property
    def kappa_prime(self) -> float:
        """κ′ = (β₁/β₂)·√(η_w/η_a), how fast input weights move relative to output weights."""
        return self.beta1 / self.beta2 / math.sqrt(self.rate_ratio)

    @property
    def clock(self) -> float:
        """Raw time per unit of normalised time, t = β₁β₂ t̄."""
        return self.beta1 * self.beta2


class ScalingLaw(msgspec.Struct, frozen=True):
    """Scales as powers of the width, scale = prefactor · m^exponent.

    Attributes:
        alpha: exponent of α, which **divides** the output (NTK: +1/2, mean field: +1).
        beta1: exponent of β₁, the standard deviation of the output weights (LeCun: −1/2).
        beta2: exponent of β₂, the standard deviation of the input weights.
        rate_ratio: exponent of η_a/η_w, where the layers have learning rates of their own.
        alpha_prefactor: prefactor of α.
        beta1_prefactor: prefactor of β₁.
        beta2_prefactor: prefactor of β₂.
        rate_ratio_prefactor: prefactor of η_a/η_w.
        formulas: formulas in m for α, β₁, β₂ where a scale is a power law only at large m; made
            by `from_formulas`, which also sets the exponents and prefactors.

    References:
        Luo et al. (JMLR 2021), definition of γ and γ′, and Table 1.

    Example:
        >>> ScalingLaw.ntk().gamma
        0.5
    """

    alpha: float
    beta1: float
    beta2: float
    rate_ratio: float = 0.0
    alpha_prefactor: float = 1.0
    beta1_prefactor: float = 1.0
    beta2_prefactor: float = 1.0
    rate_ratio_prefactor: float = 1.0
    formulas: tuple[str, str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("alpha", "beta1", "beta2", "rate_ratio"):
            finite_float(name, getattr(self, name))
            positive_float(f"{name}_prefactor", getattr(self, f"{name}_prefactor"))
        if self.formulas is None:
            return
        for name, text in zip(("alpha", "beta1", "beta2"), self.formulas, strict=True):
            law = leading_power(text)
            if law != (getattr(self, name), getattr(self, f"{name}_prefactor")):
                raise ArgumentError(
                    f"Argument `formulas` must agree with the exponents, but {text!r} is not "
                    f"{getattr(self, f'{name}_prefactor')}·m^{getattr(self, name)} at large m."
                )

    @property
    def gamma(self) -> float:
        """γ = lim −log κ/log m, with κ = β₁β₂/α."""
        return self.alpha - self.beta1 - self.beta2

    @property
    def gamma_prime(self) -> float:
        """γ′ = lim −log κ′/log m, with κ′ = (β₁/β₂)·√(η_w/η_a)."""
        return self.beta2 - self.beta1 + self.rate_ratio / 2

    @property
    def regime(self) -> Regime:
        """The regime at infinite width, by the input weights."""
        return regime_at(self.gamma, self.gamma_prime)

    @property
    def zone(self) -> Zone:
        """The zone at infinite width, by both layers (`scalings.zone_at`)."""
        return zone_at(self.gamma, self.gamma_prime)

    @property
    def predicted_exponents(self) -> Exponents:
        """Exponents of the relative changes in the width (`scalings.predicted_exponents`)."""
        return predicted_exponents(self.gamma, self.gamma_prime)

    def at_width(self, m: int) -> Scales:
        """The scales at one width.

        Args:
            m: width, ≥ 1.

        Returns:
            α, β₁, β₂ and η_a/η_w.

        Raises:
            ArgumentError: the width is not a positive integer, or a scale leaves the range of a
                float.
        """
        m = positive_int("width", m)
        if self.formulas is None:
            a, b1, b2 = (self._power(name, m) for name in ("alpha", "beta1", "beta2"))
        else:
            a, b1, b2 = (evaluate(text, m) for text in self.formulas)
        return Scales(a, b1, b2, self._power("rate_ratio", m))

    def _power(self, name: str, m: int) -> float:
        exponent: float = getattr(self, name)
        prefactor: float = getattr(self, f"{name}_prefactor")
        try:
            return positive_float(name, prefactor * float(m) ** exponent)
        except (OverflowError, ArgumentError):
            raise ArgumentError(
                f"Scale `{name}` = {prefactor:g}·m^{exponent:g} leaves the range of a float at "
                f"m = {m}. Use an exponent nearer to zero."
            ) from None

    @classmethod
    def from_gamma(cls, gamma: float, gamma_prime: float, beta1: float = 0.0) -> ScalingLaw:
        """The law of a point of the plane.

        Args:
            gamma: γ.
            gamma_prime: γ′.
            beta1: exponent of β₁: the gauge. For a homogeneous activation it changes only the
                clock; for a smooth one it also says how far into the linear part of σ the
                neurons start.

        Returns:
            A law with unit prefactors.

        Raises:
            ArgumentError: a coordinate is not finite.
        """
        g, g_prime = finite_float("gamma", gamma), finite_float("gamma_prime", gamma_prime)
        b1 = finite_float("beta1", beta1)
        return cls(alpha=g + 2 * b1 + g_prime, beta1=b1, beta2=b1 + g_prime)

    @classmethod
    def plain(cls, gamma: float, gamma_prime: float) -> ScalingLaw:
        """The law of a point of the plane with α = 1: β₁ = m^(−(γ+γ′)/2), β₂ = m^(−(γ−γ′)/2).

        The gauge in which smooth activations are studied: both standard deviations are powers of
        the width and nothing divides the output.

        Args:
            gamma: γ.
            gamma_prime: γ′.

        Returns:
            A law with unit prefactors.

        Raises:
            ArgumentError: a coordinate is not finite.

        References:
            Chen et al. (2023), where β₁ is ν and β₂ is ε.

        Example:
            >>> law = ScalingLaw.plain(1.5, 0.5)
            >>> law.alpha, law.beta1, law.beta2
            (0.0, -1.0, -0.5)
        """
        g, g_prime = finite_float("gamma", gamma), finite_float("gamma_prime", gamma_prime)
        return cls(alpha=0.0, beta1=-(g + g_prime) / 2 + 0.0, beta2=-(g - g_prime) / 2 + 0.0)

    @classmethod
    def from_formulas(
        cls, alpha: str = "1", beta1: str = "1", beta2: str = "1", d: int | None = None
    ) -> ScalingLaw:
        """The law of formulas in the width.

        Args:
            alpha: α, for example ``"m"`` or ``"sqrt(m)"``; α divides the output.
            beta1: β₁, for example ``"m^-0.5"``.
            beta2: β₂, for example ``"sqrt(2/(m+d))"``.
            d: number of inputs of a neuron; needed where a formula uses ``d``.

        Returns:
            A law whose exponents are those of m → ∞ and whose scales are the formulas' values.

        Raises:
            ArgumentError: a formula is not one, is not positive, or is no power law at large m.

        Example:
            >>> ScalingLaw.from_formulas(beta1="m^-0.5", beta2="1/sqrt(d)", d=2).gamma
            0.5
        """
        size = None if d is None else positive_int("d", d)
        a, b, c = (substitute_d(text, size) for text in (alpha, beta1, beta2))
        first, second, third = (leading_power(text) for text in (a, b, c))
        return cls(
            alpha=first.exponent,
            beta1=second.exponent,
            beta2=third.exponent,
            alpha_prefactor=first.prefactor,
            beta1_prefactor=second.prefactor,
            beta2_prefactor=third.prefactor,
            formulas=(a, b, c),
        )

    def with_learning_rates(self, exponent: float, prefactor: float = 1.0) -> ScalingLaw:
        """The same initialisation trained with η_a/η_w = prefactor · m^exponent.

        κ is unchanged and κ′ is multiplied by √(η_w/η_a), so γ′ grows by half the exponent.

        Args:
            exponent: exponent of η_a/η_w in the width.
            prefactor: its prefactor, > 0.

        Returns:
            A law with these learning rates in place of its own.
        """
        return msgspec.structs.replace(
            self, rate_ratio=float(exponent), rate_ratio_prefactor=float(prefactor)
        )

    def for_target_size(self, exponent: float, prefactor: float = 1.0) -> ScalingLaw:
        """The law that does to targets of size one what this one does to targets of another size.

        Targets of size c = prefactor · m^exponent are fitted by f exactly as targets of size one
        are by f/c, apart from the clock; so α is multiplied by c, and γ grows by the exponent.

        Args:
            exponent: exponent s of |y| ~ m^s.
            prefactor: size of the targets at m = 1, > 0.

        Returns:
            The equivalent law.
        """
        s, c = finite_float("exponent", exponent), positive_float("prefactor", prefactor)
        if self.formulas is None:
            return msgspec.structs.replace(
                self, alpha=self.alpha + s, alpha_prefactor=self.alpha_prefactor * c
            )
        alpha, beta1, beta2 = self.formulas
        law = self.from_formulas(f"({alpha})*({c!r})*m^({s!r})", beta1, beta2)
        return law.with_learning_rates(self.rate_ratio, self.rate_ratio_prefactor)

    @classmethod
    def ntk(cls) -> ScalingLaw:
        """α = √m, β₁ = β₂ = 1: (γ, γ′) = (1/2, 0)."""
        return cls(alpha=0.5, beta1=0.0, beta2=0.0)

    @classmethod
    def mean_field(cls) -> ScalingLaw:
        """α = m, β₁ = β₂ = 1: (γ, γ′) = (1, 0)."""
        return cls(alpha=1.0, beta1=0.0, beta2=0.0)

    @classmethod
    def mup(cls) -> ScalingLaw:
        """μP: α = 1, β₁ = 1/m, β₂ = 1, η_a ∝ 1/m and η_w ∝ m: (γ, γ′) = (1, 0)."""
        return cls(alpha=0.0, beta1=-1.0, beta2=0.0, rate_ratio=-2.0)

    @classmethod
    def xavier(cls, d: int) -> ScalingLaw:
        """Xavier (Glorot): α = 1, β₁ = √(2/(m+1)), β₂ = √(2/(m+d)): (γ, γ′) = (1, 0)."""
        return cls.from_formulas("1", "sqrt(2/(m+1))", "sqrt(2/(m+d))", d=d)

    @classmethod
    def he(cls, d: int) -> ScalingLaw:
        """He (Kaiming): α = 1, β₁ = √(2/m), β₂ = √(2/d): (γ, γ′) = (1/2, 1/2)."""
        return cls._fan_in(d, 2.0)

    @classmethod
    def lecun(cls, d: int) -> ScalingLaw:
        """LeCun: α = 1, β₁ = √(1/m), β₂ = √(1/d): (γ, γ′) = (1/2, 1/2)."""
        return cls._fan_in(d, 1.0)

    @classmethod
    def pytorch_default(cls, d: int) -> ScalingLaw:
        """PyTorch's linear layer: standard deviations 1/√(3·fan-in): (γ, γ′) = (1/2, 1/2)."""
        return cls._fan_in(d, 1.0 / 3.0)

    @classmethod
    def _fan_in(cls, d: int, variance: float) -> ScalingLaw:
        size = positive_int("d", d)
        return cls(
            alpha=0.0,
            beta1=-0.5,
            beta2=0.0,
            beta1_prefactor=math.sqrt(variance),
            beta2_prefactor=math.sqrt(variance / size),
        )

    @classmethod
    def e_ma_wu(cls, exponent: float) -> ScalingLaw:
        """E, Ma & Wu (2020): α = 1, β₁ = m^exponent, β₂ = 1: γ = γ′ = −exponent, the diagonal."""
        return cls(alpha=0.0, beta1=finite_float("exponent", exponent), beta2=0.0)
