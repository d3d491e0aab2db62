"""`LayerScaling`: the scales of a network of any depth as powers of its width."""

from __future__ import annotations

import math

import msgspec

from netphase._checks import finite_float, instance_of, positive_float, positive_int
from netphase.errors import ArgumentError
from netphase.scalings.formulas import evaluate, leading_power, substitute_d
from netphase.scalings.law import ScalingLaw
from netphase.scalings.layer_scales import LayerScales, check_depth, check_length


class LayerScaling(msgspec.Struct, frozen=True):
    """Scales of a network of L hidden layers as powers of the width m.

    x^[l] = σ(W^[l] x^[l−1]) for l = 1 … L, f = (1/α) W^[L+1] x^[L], W^[l] ~ N(0, β_l²), trained by
    gradient flow with learning rates η_l. Factors in front of weights count as part of them: c W
    with W ~ N(0, s²) and rate η is β = cs with rate c²η.

    Attributes:
        g: g_1 … g_{L+1}, exponents of the scales β_l = prefactor · m^(−g_l): **positive shrinks**.
        rates: exponents of the learning rates η_l = prefactor · m^rate; zero where not given.
            Only their ratios matter, apart from the clock.
        alpha: exponent of α, which **divides** the output.
        beta_prefactors: prefactors of β_l; one where not given.
        rate_prefactors: prefactors of η_l; one where not given.
        alpha_prefactor: prefactor of α.
        formulas: formulas in m for β_1 … β_{L+1} and, last, α, where a scale is a power law only
            at large m; made by `from_formulas`.

    References:
        A reconstruction: Li, Luo & Zhou (2024) define the θ-lazy area of deep networks by
        lim log κ/log m > 0 (abstract); that κ is the one of `LayerScales` is derived here from
        their decay rate and their value for NTK scaling, not read in their text. Depth one is the
        plane of Luo et al. (JMLR 2021).

    Example:
        >>> law = LayerScaling(g=(0.0, 0.5, 1.0))
        >>> law.depth, law.gamma, law.log_m_kappa
        (2, 1.5, 0.0)
    """

    g: tuple[float, ...]
    rates: tuple[float, ...] = ()
    alpha: float = 0.0
    beta_prefactors: tuple[float, ...] = ()
    rate_prefactors: tuple[float, ...] = ()
    alpha_prefactor: float = 1.0
    formulas: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("g", "rates", "beta_prefactors", "rate_prefactors"):
            value = getattr(self, name)
            if isinstance(value, str) or not hasattr(value, "__iter__"):
                raise ArgumentError(
                    f"Argument `{name}` must be a sequence with a number a layer, but is {value!r}."
                )
            msgspec.structs.force_setattr(self, name, tuple(value))
        count = len(self.g)
        check_depth("g", count)
        for name, usual in (("rates", 0.0), ("beta_prefactors", 1.0), ("rate_prefactors", 1.0)):
            if not getattr(self, name):
                msgspec.structs.force_setattr(self, name, (usual,) * count)
            check_length(name, len(getattr(self, name)), count)
        for name in ("g", "rates", "beta_prefactors", "rate_prefactors"):
            check = positive_float if name.endswith("prefactors") else finite_float
            values = (check(f"{name}[{k}]", each) for k, each in enumerate(getattr(self, name)))
            msgspec.structs.force_setattr(self, name, tuple(values))
        msgspec.structs.force_setattr(self, "alpha", finite_float("alpha", self.alpha))
        prefactor = positive_float("alpha_prefactor", self.alpha_prefactor)
        msgspec.structs.force_setattr(self, "alpha_prefactor", prefactor)
        if self.formulas is not None:
            self._check_formulas(self.formulas)

    def _check_formulas(self, formulas: tuple[str, ...]) -> None:
        check_length("formulas", len(formulas), len(self.g) + 1)
        exponents = (*(-each for each in self.g), self.alpha)
        prefactors = (*self.beta_prefactors, self.alpha_prefactor)
        for text, exponent, prefactor in zip(formulas, exponents, prefactors, strict=True):
            if leading_power(text) != (exponent, prefactor):
                raise ArgumentError(
                    f"Argument `formulas` must agree with the exponents, but {text!r} is not "
                    f"{prefactor}·m^{exponent} at large m."
                )

    @property
    def depth(self) -> int:
        """Number of hidden layers, L ≥ 1."""
        return len(self.g) - 1

    @property
    def gamma(self) -> float:
        """γ = lim −log(β_1 ⋯ β_{L+1}/α)/log m; for L = 1 that of `ScalingLaw`."""
        return self.alpha + math.fsum(self.g)

    @property
    def gamma_c(self) -> float:
        """(L+1)/2, the γ below which the network is θ-lazy."""
        return (self.depth + 1) / 2

    @property
    def log_m_kappa(self) -> float:
        """Lim log κ/log m = (L+1)/2 − γ."""
        return self.gamma_c - self.gamma

    @property
    def gamma_prime(self) -> float:
        """γ′ of `ScalingLaw`, for one hidden layer.

        Raises:
            ArgumentError: there are more hidden layers, whose ratios are L numbers and not one.
        """
        return self.two_layer.gamma_prime

    @property
    def share_exponents(self) -> tuple[float, ...]:
        """Exponents of the shares p_l = (η_l/β_l²)/Σ_j (η_j/β_j²), ≤ 0 and zero for the largest."""
        mobility = [rate + 2 * each for rate, each in zip(self.rates, self.g, strict=True)]
        return tuple(each - max(mobility) for each in mobility)

    @property
    def two_layer(self) -> ScalingLaw:
        """The law of the plane (γ, γ′), for one hidden layer; a common learning rate is left out.

        Raises:
            ArgumentError: there are more hidden layers.
        """
        if self.depth != 1:
            raise ArgumentError(
                f"Argument `depth` must be 1 for a point of the plane (γ, γ′), but is {self.depth}."
            )
        law = ScalingLaw(
            alpha=self.alpha,
            beta1=-self.g[1] + 0.0,
            beta2=-self.g[0] + 0.0,
            alpha_prefactor=self.alpha_prefactor,
            beta1_prefactor=self.beta_prefactors[1],
            beta2_prefactor=self.beta_prefactors[0],
            formulas=_reversed(self.formulas),
        )
        ratio = self.rate_prefactors[1] / self.rate_prefactors[0]
        return law.with_learning_rates(self.rates[1] - self.rates[0], ratio)

    @classmethod
    def from_two_layer(cls, law: ScalingLaw) -> LayerScaling:
        """The scaling of one hidden layer that a law of the plane is, with η_w = 1.

        Args:
            law: the law.

        Returns:
            The scaling; its `two_layer` is the law again.

        Raises:
            ArgumentError: ``law`` is no `ScalingLaw`.

        Example:
            >>> LayerScaling.from_two_layer(ScalingLaw.mup()).g
            (0.0, 1.0)
        """
        instance_of("law", law, ScalingLaw, "a ScalingLaw")
        return cls(
            g=(-law.beta2 + 0.0, -law.beta1 + 0.0),
            rates=(0.0, law.rate_ratio),
            alpha=law.alpha,
            beta_prefactors=(law.beta2_prefactor, law.beta1_prefactor),
            rate_prefactors=(1.0, law.rate_ratio_prefactor),
            alpha_prefactor=law.alpha_prefactor,
            formulas=_reversed(law.formulas),
        )

    @classmethod
    def from_formulas(
        cls, betas: tuple[str, ...], alpha: str = "1", d: int | None = None
    ) -> LayerScaling:
        """The scaling of formulas in the width.

        Args:
            betas: β_1 … β_{L+1}, for example ``("1/sqrt(d)", "m^-0.5", "1/m")``.
            alpha: α, which divides the output.
            d: number of inputs of a neuron; needed where a formula uses ``d``.

        Returns:
            A scaling whose exponents are those of m → ∞ and whose scales are the formulas' values.

        Raises:
            ArgumentError: a formula is not one, is not positive, or is no power law at large m.

        Example:
            >>> LayerScaling.from_formulas(("1", "m^-0.5", "sqrt(2/(m+1))")).g
            (0.0, 0.5, 0.5)
        """
        size = None if d is None else positive_int("d", d)
        texts = tuple(substitute_d(text, size) for text in (*betas, alpha))
        powers = [leading_power(text) for text in texts]
        return cls(
            g=tuple(-each.exponent + 0.0 for each in powers[:-1]),
            alpha=powers[-1].exponent,
            beta_prefactors=tuple(each.prefactor for each in powers[:-1]),
            alpha_prefactor=powers[-1].prefactor,
            formulas=texts,
        )

    def with_learning_rates(
        self, rates: tuple[float, ...], prefactors: tuple[float, ...] = ()
    ) -> LayerScaling:
        """The same initialisation trained with other learning rates.

        Args:
            rates: exponents of η_1 … η_{L+1}.
            prefactors: their prefactors; one where not given.

        Returns:
            The scaling.

        Raises:
            ArgumentError: there is not one number a layer.
        """
        return msgspec.structs.replace(self, rates=rates, rate_prefactors=prefactors)

    @property
    def written(self) -> tuple[str, ...]:
        """β_1 … β_{L+1} and, last, α as formulas in m.

        Example:
            >>> LayerScaling(g=(0.0, 0.5), beta_prefactors=(1.0, 2.0)).written
            ('1', '2*m^(-0.5)', '1')
        """
        if self.formulas is not None:
            return self.formulas
        exponents = (*(0.0 - each for each in self.g), self.alpha)
        prefactors = (*self.beta_prefactors, self.alpha_prefactor)
        return tuple(_written(*each) for each in zip(prefactors, exponents, strict=True))

    def rescaled(self, betas: tuple[float, ...] = (), alpha: float = 0.0) -> LayerScaling:
        """The scaling with every scale times a power of the width.

        Args:
            betas: exponents of the factors of β_1 … β_{L+1}; zero where not given. They add to
                −g_l.
            alpha: exponent of the factor of α.

        Returns:
            The scaling, with the same learning rates.

        Raises:
            ArgumentError: there is not one number a layer, or one is not finite.

        Example:
            >>> LayerScaling(g=(0.0, 0.5, 0.5)).rescaled(alpha=0.5).log_m_kappa
            0.0
        """
        powers = tuple(betas) or (0.0,) * len(self.g)
        check_length("betas", len(powers), len(self.g))
        if self.formulas is None:
            g = tuple(each - power for each, power in zip(self.g, powers, strict=True))
            return msgspec.structs.replace(self, g=g, alpha=self.alpha + alpha)
        texts = [
            text if power == 0 else f"({text})*{_written(1.0, power)}"
            for text, power in zip(self.formulas, (*powers, alpha), strict=True)
        ]
        found = LayerScaling.from_formulas(tuple(texts[:-1]), texts[-1])
        return found.with_learning_rates(self.rates, self.rate_prefactors)

    def at_width(self, m: int) -> LayerScales:
        """The scales at one width.

        Args:
            m: width of the hidden layers, ≥ 1.

        Returns:
            β_l, η_l and α.

        Raises:
            ArgumentError: the width is not a positive integer, or a scale, or the signal that it
                passes on, leaves the range of a float; the message says in which layer.
        """
        m = positive_int("width", m)
        rates = tuple(
            _power(f"Rate η_{k}", each, prefactor, m)
            for k, (each, prefactor) in enumerate(
                zip(self.rates, self.rate_prefactors, strict=True), 1
            )
        )
        if self.formulas is not None:
            *betas, alpha = self.formulas
            values = (_formula(f" of layer {k}", text, m) for k, text in enumerate(betas, 1))
            return LayerScales(m, tuple(values), rates, evaluate(alpha, m))
        found = tuple(
            _power(f"Scale β_{k}", -each, prefactor, m)
            for k, (each, prefactor) in enumerate(zip(self.g, self.beta_prefactors, strict=True), 1)
        )
        return LayerScales(m, found, rates, _power("Scale α", self.alpha, self.alpha_prefactor, m))


def _power(what: str, exponent: float, prefactor: float, m: int) -> float:
    try:
        return positive_float(what, prefactor * float(m) ** exponent)
    except (OverflowError, ArgumentError):
        where = f" of layer {what.rpartition('_')[2]}" if "_" in what else ""
        raise ArgumentError(
            f"{what}{where} = {prefactor:g}·m^{exponent:g} leaves the range of a float at "
            f"m = {m}. Use an exponent nearer to zero."
        ) from None


def _formula(where: str, text: str, m: int) -> float:
    try:
        return evaluate(text, m)
    except ArgumentError as error:
        raise ArgumentError(f"Scale β{where}: {error}") from None


def _written(prefactor: float, exponent: float) -> str:
    """Prefactor · m^exponent as a formula, exact."""
    factor, power = (repr(each).removesuffix(".0") for each in (prefactor, exponent))
    if exponent == 0:
        return factor
    power = "m" if exponent == 1 else f"m^({power})" if exponent < 0 else f"m^{power}"
    return power if prefactor == 1 else f"{factor}*{power}"


def _reversed(formulas: tuple[str, ...] | None) -> tuple[str, str, str] | None:
    """Formulas of (β_w, β_a, α) for those of (α, β_a, β_w), and back."""
    if formulas is None:
        return None
    first, second, third = formulas
    return third, second, first
