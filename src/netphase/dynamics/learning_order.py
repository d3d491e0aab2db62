"""What each degree of a target will do as ε → 0: whether, when and after which it is learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from netphase._checks import finite_array, positive_float
from netphase._types import Array
from netphase.dynamics.constrained_flow import constrained_times
from netphase.dynamics.early_degrees import degree_zero_time
from netphase.dynamics.output_law import OutputAtoms
from netphase.dynamics.stages import time_exponent
from netphase.errors import ArgumentError

Basis: TypeAlias = Literal["closed form", "constrained flow", "exponent only", "never"]
"""What a prediction rests on: a formula, a constant from a flow, a power alone, or a refusal."""

TOLD = ("closed form", "constrained flow")
"""Bases on which a time is predicted."""

LN9 = math.log(9.0)

FELT = 0.1
"""Random initial overlaps may be this part of what output weights add, where constants of degrees
from 2 on are told."""

AGAINST = "runs against the flow that earlier degrees leave, and is never learnt."
"""How the reason ends where a sign is wrong: nothing later is learnt either."""


@dataclass(frozen=True)
class DegreePrediction:
    """What is predicted of one degree, in the limit d → ∞, m → ∞, then ε → 0.

    Attributes:
        degree: l.
        learnable: whether it is learnt in the end.
        basis: what the prediction of its time rests on.
        exponent: p of t_l ∝ ε^p, without logarithms; NaN where it is never learnt.
        previous: the last degree learnt before it; −1 for none.
        reason: a sentence on why.
    """

    degree: int
    learnable: bool
    basis: Basis
    exponent: float
    previous: int
    reason: str


@dataclass(frozen=True, eq=False)
class LearningPrediction:
    """What is predicted of a target, an activation and a law of the output weights.

    Attributes:
        activation: σ_k, shape (k,).
        target: φ_k, shape (k,).
        outputs: P_A.
        inputs: d, infinite for initial overlaps of zero.
        degrees: what each degree does, k of them.
        warnings: sentences on what makes the predictions weak.
    """

    activation: Array
    target: Array
    outputs: OutputAtoms
    inputs: float
    degrees: tuple[DegreePrediction, ...]
    warnings: tuple[str, ...]

    @property
    def learnable(self) -> npt.NDArray[np.bool_]:
        """Which degrees are learnt in the end, shape (k,)."""
        return np.array([each.learnable for each in self.degrees], dtype=np.bool_)

    @property
    def floor(self) -> float:
        """½ Σ φ_k² over the degrees that are never learnt: the risk in the end."""
        return 0.5 * float(np.sum(self.target[~self.learnable] ** 2))

    @property
    def plateaus(self) -> Array:
        """The risk behind each degree, ½ Σ φ_k² over what is learnt later or never, shape (k,)."""
        open_part = np.where(self.learnable, self.target, 0.0) ** 2
        later = np.append(np.cumsum(open_part[::-1])[::-1][1:], 0.0)
        return np.asarray(self.floor + 0.5 * later)

    @property
    def initial_risk(self) -> float:
        """½(φ_0 − σ_0⟨a(0)⟩)² + ½ Σ_(k≥1) φ_k², the risk at time 0 for overlaps of zero."""
        first = self.target[0] - self.activation[0] * self.outputs.mean
        return 0.5 * float(first**2 + np.sum(self.target[1:] ** 2))

    def times(self, epsilon: float) -> Array:
        """Predicted half-level times t_l, shape (k,); NaN where only an exponent is known.

        Args:
            epsilon: ε > 0.

        Returns:
            Degree 0 exact to relative order ε, degree 1 by `degree_one_time`, later ones by
            `constrained_times`; NaN too where ε is too large for them, or d too small.

        Raises:
            ArgumentError: ``epsilon`` is not positive.
        """
        epsilon = positive_float("epsilon", epsilon)
        sigma, phi, law = self.activation, self.target, self.outputs
        found = np.full(len(self.degrees), np.nan)
        if self.degrees[0].learnable:
            found[0] = degree_zero_time(epsilon, float(sigma[0]), float(phi[0]), law.mean)
        told = [each.degree for each in self.degrees[1:] if each.basis in TOLD]
        if told:
            last = told[-1] + 1
            times = constrained_times(
                epsilon, sigma[:last], phi[:last], law.atoms, law.weights, self.inputs
            )
            found[told] = times[told]
            found[1:] = np.where(self._valid(epsilon), found[1:], np.nan)
        return found

    def _valid(self, epsilon: float) -> npt.NDArray[np.bool_]:
        """Where the formulas of degrees from 1 on hold: the start is small, and later hardly felt.

        Degree 1 has grown by some when it is learnt; what random overlaps leave is not counted by
        the constrained flows.
        """
        spread = math.sqrt(epsilon) * _spread(self.activation, self.outputs)
        overlaps = 1.0 / (self.inputs * math.sqrt(epsilon))
        small = spread + overlaps < abs(self.target[1] / self.activation[1])
        valid = np.full(len(self.degrees) - 1, small and overlaps <= FELT * spread)
        valid[:1] = small
        return valid

    def widths(self, epsilon: float) -> Array:
        """Predicted times from 90 % to 10 % of a residual, shape (k,); NaN beyond degree 1.

        Args:
            epsilon: ε > 0.

        Returns:
            The exponential fall of degree 0 and the logistic one of degree 1.

        Raises:
            ArgumentError: ``epsilon`` is not positive.
        """
        epsilon = positive_float("epsilon", epsilon)
        found = np.full(len(self.degrees), np.nan)
        for each in self.degrees[:2]:
            if each.basis == "closed form" and each.degree == 0:
                start = abs(self.target[0] - self.activation[0] * self.outputs.mean)
                fall = max(1.0, min(9.0, 10.0 * start / abs(self.target[0])))
                found[0] = epsilon * math.log(fall) / self.activation[0] ** 2
            elif each.basis == "closed form":
                found[1] = math.sqrt(epsilon) * LN9 / abs(self.activation[1] * self.target[1])
        return found


def predict_learning(
    activation: Array, target: Array, outputs: OutputAtoms, inputs: float = math.inf
) -> LearningPrediction:
    """What each degree of a target will do as ε → 0.

    Args:
        activation: σ_k, shape (k,).
        target: φ_k, shape (k,).
        outputs: P_A, see `output_atoms`.
        inputs: d; infinite for initial overlaps of zero.

    Returns:
        The prediction.

    Raises:
        ArgumentError: coefficients are not finite or differ in number.

    References:
        Berthier, Montanari & Zhou (2024); exponents after missing degrees and for few atoms follow
        from the same scaling.

    Example:
        >>> from netphase.dynamics import output_atoms
        >>> found = predict_learning([0.5, 0.5, 0.3], [1, 1, 1], output_atoms("rademacher"))
        >>> [each.exponent for each in found.degrees]
        [1.0, 0.5, 0.0]
        >>> print(found.degrees[2].reason.partition(":")[0])
        P_A has 2 different atoms where ε^(1/4) needs 3
    """
    sigma = finite_array("activation", activation, 1).astype(np.float64)
    phi = finite_array("target", target, 1).astype(np.float64)
    if len(sigma) != len(phi):
        raise ArgumentError(
            f"Argument `target` must have as many coefficients as `activation`, {len(sigma)}, but "
            f"has {len(phi)}. Fill the shorter with zeros."
        )
    found: list[DegreePrediction] = []
    for degree in range(len(sigma)):
        found.append(_predict(degree, sigma, phi, outputs, found))
    return LearningPrediction(sigma, phi, outputs, inputs, tuple(found), _warnings(outputs, found))


def _predict(
    degree: int, sigma: Array, phi: Array, outputs: OutputAtoms, before: list[DegreePrediction]
) -> DegreePrediction:
    """One degree after those before it."""
    learnt = [each for each in before if each.learnable]
    previous = learnt[-1].degree if learnt else -1

    def never(reason: str) -> DegreePrediction:
        return DegreePrediction(degree, False, "never", math.nan, previous, reason)

    if phi[degree] == 0.0:
        return never(f"φ_{degree} = 0: there is nothing of degree {degree} to learn.")
    if sigma[degree] == 0.0:
        return never(f"σ_{degree} = 0: ½ φ_{degree}² = {phi[degree] ** 2 / 2:.4g} stays.")
    if degree == 0:
        reason = "The output weights shift alike."
        return DegreePrediction(0, True, "closed form", 1.0, -1, reason)
    if sigma[1] * phi[1] == 0.0:
        return never(
            "σ_1 φ_1 = 0: overlaps that start at zero stay there; no degree from 1 on is learnt."
        )
    if degree == 1:
        return _degree_one(sigma, outputs, previous)
    against = [each for each in before if each.reason.endswith(AGAINST)]
    if against:
        return never(f"Degree {against[0].degree} runs against the flow, which stops there.")
    return _later(degree, sigma, phi, outputs, learnt)


def _degree_one(sigma: Array, outputs: OutputAtoms, previous: int) -> DegreePrediction:
    if _spread(sigma, outputs) == 0.0:
        reason = (
            "P_A has one atom and output weights do not spread: degree 1 is learnt at a time of "
            "order one, as far as one neuron can."
        )
        return DegreePrediction(1, True, "exponent only", 0.0, previous, reason)
    reason = "Output weights and overlaps grow together, √ε a = ± s."
    return DegreePrediction(1, True, "closed form", 0.5, previous, reason)


def _later(
    degree: int, sigma: Array, phi: Array, outputs: OutputAtoms, learnt: list[DegreePrediction]
) -> DegreePrediction:
    """A degree ≥ 2 where degree 1 is learnt."""
    previous = learnt[-1].degree
    own = max((each.degree for each in learnt if each.exponent > 0.0), default=0)
    guide = _guide(degree, previous, own, sigma, outputs)
    if guide is not None and sigma[degree] * phi[degree] * _sign(guide, sigma, phi, outputs) < 0.0:
        reason = f"σ_{degree} φ_{degree} has not the sign of {_name(guide, sigma)}: it {AGAINST}"
        return DegreePrediction(degree, False, "never", math.nan, previous, reason)
    # What is learnt before it bounds it from below: after a time of order one, no power is left.
    exponent = min(time_exponent(degree, previous), learnt[-1].exponent)
    needed = _atoms_needed(degree, sigma)
    if outputs.distinct < needed and exponent > 0.0:
        reason = (
            f"P_A has {_atoms(outputs)} where ε^(1/{2 * degree}) needs {needed}: "
            f"degree {degree} is learnt at a time of order one, if at all."
        )
        return DegreePrediction(degree, True, "exponent only", 0.0, previous, reason)
    same = sigma[degree] * phi[degree] * sigma[1] * phi[1] > 0.0
    if outputs.density and degree == 3 and previous == 2 and same:
        reason = (
            "P_A has a density and the sign of σ_3 φ_3 is that of σ_1 φ_1: degree 3 is learnt "
            "almost together with degree 2, at a time ∝ ε^(1/4)."
        )
        return DegreePrediction(3, True, "exponent only", 0.25, previous, reason)
    chain = [each.degree for each in learnt if each.degree > 0] == list(range(1, degree))
    basis: Basis = "constrained flow" if chain and own == previous else "exponent only"
    reason = _words(degree, previous, exponent)
    return DegreePrediction(degree, True, basis, exponent, previous, reason)


def _guide(degree: int, previous: int, own: int, sigma: Array, outputs: OutputAtoms) -> int | None:
    """The degree whose sign this one must have to be learnt; None where either sign will do.

    Behind an even leap the flow towards degree l grows or shrinks with the sign of degree p alone.
    Behind a degree that is learnt at a time of order one for want of atoms it is the last one on
    its own scale that decides, and the degree before the previous one where σ_0 = 0 leaves the mean
    output weight free: for degree 2 that is the sign of the output weights, if all have the same.
    """
    if (degree - previous) % 2 == 0:
        return previous
    if degree - own == 2:
        return own
    if sigma[0] == 0.0 and (degree > 2 or outputs.one_sign):
        return degree - 2
    return None


def _sign(guide: int, sigma: Array, phi: Array, outputs: OutputAtoms) -> float:
    """σ_p φ_p, or what stands for it where degree 0 does not settle the mean output weight."""
    settled = guide > 0 or sigma[0] != 0.0
    return float(sigma[guide] * phi[guide]) if settled else outputs.mean


def _name(guide: int, sigma: Array) -> str:
    settled = guide > 0 or sigma[0] != 0.0
    return f"σ_{guide} φ_{guide}" if settled else "the output weights"


def _words(degree: int, previous: int, exponent: float) -> str:
    if degree == previous + 1 and exponent > 0:
        return f"Degree {degree} follows degree {previous}, at a time ∝ ε^(1/{2 * degree})."
    between = ", with nothing learnt between" if degree > previous + 1 else ", which is as late"
    start = f"Degree {degree} follows degree {previous}{between}"
    if exponent == 0:
        return f"{start}: at a time of order one."
    return f"{start}: at a time ∝ ε^({exponent:.4g}), that grows as ε falls."


def _atoms(outputs: OutputAtoms) -> str:
    return "one atom" if outputs.distinct == 1 else f"{outputs.distinct} different atoms"


def _spread(sigma: Array, outputs: OutputAtoms) -> float:
    """What degree 1 grows from: the variance of P_A, or its mean square where σ_0 = 0."""
    if sigma[0] != 0.0:
        return outputs.variance
    return float(outputs.weights @ outputs.atoms**2)


def _atoms_needed(degree: int, sigma: Array) -> int:
    """One more than the degrees below that hold the flow back."""
    return 1 + int(np.count_nonzero(sigma[:degree]))


def _warnings(outputs: OutputAtoms, found: list[DegreePrediction]) -> tuple[str, ...]:
    learnt = [each for each in found if each.learnable]
    few = [each for each in learnt if " where ε^(1/" in each.reason]
    said = [each.reason for each in few[:1]]
    if outputs.density and any(each.degree >= 2 for each in learnt):
        said.append(
            "P_A has a density: its extreme atoms run ahead at small ε, and times of degree 2 and "
            "beyond depend on how many atoms stand for it. Use a fixed set of atoms for exponents."
        )
    return tuple(said)
