"""What theory says of a finite network without training it: relative changes, rates and bounds."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Protocol

import numpy as np

from netphase._checks import finite_array, one_of, positive_float, positive_int
from netphase._types import Array
from netphase.activations import Activation, get
from netphase.errors import ArgumentError
from netphase.kernels.gaussian import GaussianKernels, gaussian_kernels
from netphase.scalings import Scales, ScalingLaw

_DIRECTIONS = 1024


class Data(Protocol):
    """Inputs and targets; `netphase.datasets.Dataset` has them."""

    @property
    def x(self) -> Array:
        """Inputs, shape (n, d)."""
        ...

    @property
    def y(self) -> Array:
        """Targets, shape (n,)."""
        ...


class RelativeChanges(NamedTuple):
    """Relative changes RD of the input weights, the output weights, and all parameters."""

    w: float
    a: float
    theta: float


def _scales(law: ScalingLaw | Scales, width: int) -> Scales:
    m = positive_int("width", width)
    return law.at_width(m) if isinstance(law, ScalingLaw) else law


def _together(w: float, a: float, d: int) -> RelativeChanges:
    return RelativeChanges(w, a, math.sqrt((a * a + d * w * w) / (1 + d)))


def _kernels(scales: Scales, x: Array, activation: str | Activation) -> GaussianKernels:
    sigma = get(activation)
    return gaussian_kernels(x, sigma, 1.0 if sigma.homogeneous else scales.beta2)


def linear_predictions(
    law: ScalingLaw | Scales,
    width: int,
    data: Data,
    antisymmetric: bool = True,
    activation: str | Activation = "relu",
) -> RelativeChanges:
    """Final relative changes of a wide network in the linear regime, without a free parameter.

    With K = K_a/κ′ + κ′K_w, c = K⁻¹y and F = 2 (antisymmetric) or 1:
    RD_w = κ′ √(cᵀK_w c/d)/(F m κ) and RD_a = √(cᵀK_a c)/(F m κ κ′).
    Good to some 5 % for γ ≤ 0.6 at m ≥ 1000, to 20 % at γ = 0.8, and meaningless beyond the
    linear regime. Without the antisymmetric start it leaves out the random initial function,
    which matters for γ ≤ 1/2.

    Args:
        law: the scaling law, or the scales at this width.
        width: neurons of one copy, m.
        data: inputs (with the bias column) and targets.
        antisymmetric: whether the network has a second, opposite copy.
        activation: σ.

    Returns:
        The relative changes of the first copy; ``theta`` in normalised variables.

    Raises:
        ArgumentError: an argument is out of its range or the Gram matrix is singular.

    References:
        Sharper than Luo et al. (JMLR 2021), Theorem 6; from its linearisation, equation (15).
    """
    s = _scales(law, width)
    kernels = _kernels(s, data.x, activation)
    ratio, d = s.kappa_prime, data.x.shape[1]
    try:
        c = np.linalg.solve(kernels.a / ratio + ratio * kernels.w, data.y)
    except np.linalg.LinAlgError:
        raise ArgumentError(
            "The Gram matrix of these inputs is singular: two of them are equal or parallel."
        ) from None
    capacity = (2 if antisymmetric else 1) * width * s.kappa
    w = ratio * math.sqrt(float(c @ kernels.w @ c) / d) / capacity
    a = math.sqrt(float(c @ kernels.a @ c)) / (capacity * ratio)
    return _together(w, a, d)


def condensed_prediction(
    law: ScalingLaw | Scales,
    width: int,
    d: int,
    total_amplitude: float,
    antisymmetric: bool = True,
) -> RelativeChanges:
    """Final relative changes deep in the condensed regime, u = γ − 1 > |γ′|.

    There the start is forgotten, |a| = ‖w‖/κ′ for every neuron that matters, and the total
    amplitude A = κ Σ|a|‖w‖ is that of the learned function, so RD_w = √(κ′A/(F d κ m)) and
    RD_a = √d·RD_w/κ′. Good to 5–20 % away from the lines (homogeneous activations); useless
    near γ′ = γ − 1, where it is off by a factor of up to 3.

    Args:
        law: the scaling law, or the scales at this width.
        width: neurons of one copy, m.
        d: number of inputs of a neuron, the bias included.
        total_amplitude: A; `least_amplitude` gives a lower bound, near the truth for small
            initialisations.
        antisymmetric: whether the network has a second, opposite copy.

    Returns:
        The relative changes of the first copy.

    Raises:
        ArgumentError: an argument is out of its range.

    References:
        Not in Luo et al. (JMLR 2021); from the conserved quantity κ′²a² − ‖w‖² in the proof of
        Theorem 8.
    """
    s = _scales(law, width)
    amplitude, size = positive_float("total_amplitude", total_amplitude), positive_int("d", d)
    capacity = (2 if antisymmetric else 1) * width * s.kappa
    w = math.sqrt(s.kappa_prime * amplitude / (size * capacity))
    return _together(w, math.sqrt(size) * w / s.kappa_prime, size)


def least_amplitude(data: Data) -> float:
    """The smallest total amplitude Σ|a|‖w‖ of a ReLU network that fits the data, for d = 2.

    A linear programme over neurons of unit size in 1024 directions and those with a kink at a
    data point. It exceeds the true minimum by less than 1e-5 of it.

    Args:
        data: inputs of shape (n, 2) and targets; the second column need not be a bias.

    Returns:
        The amplitude, ≥ 0.

    Raises:
        ArgumentError: d is not 2, or no network fits the data.

    References:
        The variation norm; see Bach, "Breaking the curse of dimensionality with convex neural
        networks" (JMLR 2017).
    """
    from scipy.optimize import linprog

    x, y = finite_array("x", data.x, 2), finite_array("y", data.y, 1)
    if x.shape[1] != 2:
        raise ArgumentError(f"Argument `data` must have d = 2 here, but has d = {x.shape[1]}.")
    across = np.arctan2(x[:, 0], -x[:, 1])  # directions orthogonal to an input
    grid = np.arange(_DIRECTIONS) * (2 * math.pi / _DIRECTIONS)
    angle = np.concatenate([grid, across, across + math.pi])
    response = np.maximum(x @ np.stack([np.cos(angle), np.sin(angle)]), 0.0)  # (n, directions)
    result = linprog(
        np.ones(2 * len(angle)), A_eq=np.hstack([response, -response]), b_eq=y, method="highs"
    )
    if not result.success:
        raise ArgumentError("No network of this kind fits the data: two inputs are parallel.")
    return float(result.fun)


def linear_decay_rate(
    law: ScalingLaw | Scales,
    width: int,
    data: Data,
    antisymmetric: bool = True,
    activation: str | Activation = "relu",
    lazy: Literal["theta", "w", "a"] = "theta",
) -> float:
    """The rate r of the bound R(t̄) ≤ R(0) exp(−r t̄) on the loss, in normalised time.

    r = F(m κ²/n)(λ_a/κ′ + κ′λ_w), where λ_a and λ_w are the least eigenvalues of K_a and K_w.
    If only the input weights are lazy the second term is left out, if only the output weights
    are, the first. Half the rate of the linearised network, to leave room for its changes.

    Args:
        law: the scaling law, or the scales at this width.
        width: neurons of one copy, m.
        data: inputs and targets.
        antisymmetric: whether the network has a second, opposite copy (F = 2, else 1).
        activation: σ.
        lazy: which parameters stay near their start: ``"theta"`` (γ < 1), ``"w"`` (γ′ > γ − 1,
            γ′ > 0) or ``"a"`` (γ′ < 1 − γ, γ′ < 0).

    Returns:
        The rate, ≥ 0; the bound holds with high probability at large width.

    Raises:
        ArgumentError: an argument is out of its range.

    References:
        Luo et al. (JMLR 2021), Theorem 6(b) and the sharper rates in its proof; Proposition 26.
    """
    block = one_of("lazy", lazy, ("theta", "w", "a"))
    s = _scales(law, width)
    kernels = _kernels(s, data.x, activation)
    least_a, least_w = (max(float(np.linalg.eigvalsh(k)[0]), 0.0) for k in kernels)
    rate = 0.0
    if block in ("theta", "w"):
        rate += least_a / s.kappa_prime
    if block in ("theta", "a"):
        rate += least_w * s.kappa_prime
    return (2 if antisymmetric else 1) * width * s.kappa**2 * rate / len(data.y)


def loss_bound(times: Array, initial_loss: float, rate: float) -> Array:
    """R(0) exp(−rate·t̄), the bound on the loss in the linear regime.

    Args:
        times: normalised times, any shape.
        initial_loss: R(0) = (1/2n) Σ e², > 0.
        rate: from `linear_decay_rate`.

    Returns:
        The bound at each time, same shape.

    References:
        Luo et al. (JMLR 2021), Theorem 6(b).
    """
    return np.asarray(positive_float("initial_loss", initial_loss) * np.exp(-rate * times))


def condensed_lower_bound(
    law: ScalingLaw | Scales, width: int, d: int, antisymmetric: bool = True
) -> float:
    """A lower bound on the largest RD_w of a network that fits its data.

    With N trained neurons and Nκ ≤ 1/(3√d): sup RD_w ≥ √(min(1, κ′)/(24 d^(3/2) κN)) − 1.
    It asks for inputs in [0, 1]^d, some target of at least 1/2, and a loss that comes down to
    1/(32n).

    Args:
        law: the scaling law, or the scales at this width.
        width: neurons of one copy, m.
        d: number of inputs of a neuron, the bias included.
        antisymmetric: whether there is a second, opposite copy (N = 2m, else m).

    Returns:
        The bound over all N neurons; 0 where the theorem says nothing.

    Raises:
        ArgumentError: a size is not a positive integer.

    References:
        Luo et al. (JMLR 2021), Theorem 8 and its proof.
    """
    s, size = _scales(law, width), positive_int("d", d)
    capacity = (2 if antisymmetric else 1) * width * s.kappa
    if capacity > 1 / (3 * math.sqrt(size)):
        return 0.0
    return max(0.0, math.sqrt(min(1.0, s.kappa_prime) / (24 * size**1.5 * capacity)) - 1)
