"""The random-feature twin of a network: its input weights frozen, solved in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netphase._checks import instance_of, non_negative_int, one_of, positive_float
from netphase._types import Array, InputLaw
from netphase.datasets import Dataset
from netphase.dynamics.comparators import solve_in_closed_form
from netphase.dynamics.trajectory import Trajectory
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.kernels import INPUT_LAWS, relu_kernel, sphere_kernel
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.targets import Target

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class RandomFeatureDynamics:
    """dā/dt̄ = −(1/κ′) ∂R/∂ā with w̄ as it starts: the network trained in its output weights only.

    It shares the start, the data and the clock t̄ = t/(β₁β₂) of the network that it is compared
    with. The equation is linear, and solved exactly; see `RandomFeatureModel` for what is known
    of it beyond the flow.

    Attributes:
        network: the map, with its scales.
        data: a `Dataset`, or a `Target` for infinitely many samples of it (ReLU only).
        inputs: law of x for a target: "gaussian" for N(0, I_d), "sphere" for the unit sphere.

    Raises:
        ArgumentError: an attribute is of another type, the law is unknown or given for samples,
            or the averages of this activation have no closed form.

    References:
        Ma, Wu & E (2020), the random-feature model that networks follow at first.

    Example:
        >>> import netphase as nph
        >>> from netphase import targets
        >>> network = nph.TwoLayerNetwork(nph.activations.get("relu"), nph.Scales(1.0, 1.0, 1.0))
        >>> twin = RandomFeatureDynamics(network, targets.linear(3))
        >>> start = nph.networks.student_parameters(50, d=3)
        >>> bool(twin.model(start).mean_square(np.inf) < 1e-3)
        True
    """

    network: TwoLayerNetwork
    data: Dataset | Target
    inputs: InputLaw = "gaussian"

    def __post_init__(self) -> None:
        instance_of("network", self.network, TwoLayerNetwork, "a TwoLayerNetwork")
        instance_of("data", self.data, (Dataset, Target), "a Dataset or a Target")
        one_of("inputs", self.inputs, INPUT_LAWS)
        if isinstance(self.data, Dataset) and self.inputs != "gaussian":
            raise ArgumentError(
                "Argument `inputs` must be left out where `data` is a Dataset, whose samples are "
                f"the inputs, but is {self.inputs!r}."
            )
        name = self.network.activation.name
        if isinstance(self.data, Target) and name != "relu":
            raise ArgumentError(
                "Argument `network` must have the activation relu where averages over all inputs "
                f"are taken in closed form, but has {name}. Give samples of the target instead."
            )

    def model(self, state: Parameters) -> RandomFeatureModel:
        """The solution from a start, at any time, step or limit.

        Args:
            state: the start, ``a`` of shape (m,) and ``w`` of shape (m, d).

        Returns:
            The model.

        Raises:
            ArgumentError: the shapes do not fit.
        """
        if state.w.ndim != 2 or state.w.shape != (len(state.a), self.data.d):
            raise ArgumentError(
                f"Argument `state` must hold a of shape (m,) and w of shape (m, {self.data.d}), "
                f"but holds {state.a.shape} and {state.w.shape}."
            )
        mobility = 1.0 / self.network.scales.kappa_prime
        start = Parameters(state.a.astype(np.float64), state.w.astype(np.float64))
        if isinstance(self.data, Target):
            spectrum = _of_target(self.network, self.data, self.inputs, start)
        else:
            spectrum = _of_data(self.network, self.data, start)
        return RandomFeatureModel(start, spectrum, mobility)

    def solve(self, state: Parameters, stop: Stop, tracked: int, times: Array) -> Trajectory:
        """The exact flow from a start; see `netphase.dynamics.evolve` for the arguments.

        Args:
            state: the start, shapes (m,) and (m, d).
            stop: its mean square and time; steps do not count here.
            tracked: neurons that count in relative changes.
            times: times of the snapshots, shape (t,); empty for none.

        Returns:
            The trajectory; stagnated if the target can never be reached.
        """
        model = self.model(state)
        rates = np.sort(model.rates[model.rates > 0])
        return solve_in_closed_form(model, rates, state, stop, tracked, times)


@dataclass(frozen=True)
class _Spectrum:
    """R = ½ (rest + Σ_i s_i² (b_i − b_i*)²) in the coordinates b = modes (a − a₀).

    Attributes:
        modes: orthonormal rows, shape (r, m).
        sizes: s_i > 0, descending, shape (r,).
        goals: b_i*, shape (r,).
        rest: mean square error that no output weights remove.
    """

    modes: Array
    sizes: Array
    goals: Array
    rest: float


def _of_data(network: TwoLayerNetwork, data: Dataset, start: Parameters) -> _Spectrum:
    from scipy.linalg import svd

    n = data.n
    features = network.scales.kappa * network.unit(data.x @ start.w.T)  # (n, m)
    residual = data.y - features @ start.a
    # not the faster divide-and-conquer: where m is near n, small singular values decide
    left, sizes, modes = svd(features / math.sqrt(n), full_matrices=False, lapack_driver="gesvd")
    known = sizes > max(features.shape) * _EPS * max(float(sizes[0]), 1e-290)
    left, sizes, modes = left[:, known], sizes[known], modes[known]
    along = left.T @ residual
    beside = residual - left @ along
    return _Spectrum(modes, sizes, along / (math.sqrt(n) * sizes), float(beside @ beside) / n)


def _of_target(
    network: TwoLayerNetwork, target: Target, inputs: InputLaw, start: Parameters
) -> _Spectrum:
    kappa, w = network.scales.kappa, start.w
    kernel = kappa**2 * relu_kernel(w, w, inputs)
    pull = np.zeros(len(w))  # E f* relu(w·x)
    if target.units:
        pull += relu_kernel(w, target.c, inputs) @ target.a
    if target.sphere:
        pull += target.sphere_weight * sphere_kernel(w, target.sphere, inputs)
    pull *= kappa
    values, vectors = np.linalg.eigh(kernel)
    known = values > len(values) * _EPS * max(float(values[-1]), 1e-290)
    values, modes = values[known][::-1], vectors.T[known][::-1]
    force = modes @ (pull - kernel @ start.a)
    square = target.square(inputs) - 2.0 * float(start.a @ pull) + float(start.a @ kernel @ start.a)
    rest = max(square - float(np.sum(force**2 / values)), 0.0)
    return _Spectrum(modes, np.sqrt(values), force / values, rest)


class RandomFeatureModel:
    """The twin from one start: its flow, its gradient descent at any step, and its limit.

    In the right singular vectors v_i of the features Φ_ij = κ σ(w_j·x_i)/√n, with singular values
    s_i, the mode i decays at the rate λ_i = s_i²/κ′ and

        a(t) = a(0) + Σ_i [1 − e^(−λ_i t)] b_i* v_i,  a_k = a(0) + Σ_i [1 − (1 − hλ_i)^k] b_i* v_i

    under the flow and after k steps of length h. Everything stays accurate for λ_i t or k beyond
    10¹², and a descent with hλ_i > 2 diverges as it does step by step.

    Attributes:
        start: the parameters at the start, float64.
        rates: λ_i > 0, descending, shape (r,); modes that rounding cannot tell from none are left
            out, and never move.

    References:
        Ma, Wu & E (2020), the minimal-norm solution of random features.
    """

    def __init__(self, start: Parameters, spectrum: _Spectrum, mobility: float) -> None:
        """Made by `RandomFeatureDynamics.model`."""
        self.start = start
        self.rates = mobility * spectrum.sizes**2
        self._spectrum = spectrum

    @property
    def stability_limit(self) -> float:
        """The longest stable step of gradient descent, 2/λ_max; infinite where nothing moves."""
        return 2.0 / float(self.rates[0]) if self.rates.size else math.inf

    def parameters(self, time: float) -> Parameters:
        """The flow at one time.

        Args:
            time: normalised time t̄ ≥ 0. Infinity gives the limit: least squares where there are
                fewer neurons than samples, the interpolant nearest to the start where there are
                more.

        Returns:
            Parameters of shapes (m,) and (m, d); ``w`` is that of the start.

        Raises:
            ArgumentError: the time is negative or NaN.
        """
        return self._parameters(self._flow(time))

    def mean_square(self, time: float) -> float:
        """The mean square error that is trained on, (1/n) Σ e² or E e², at one time of the flow."""
        return self._mean_square(np.exp(-self._exponent(time)))

    def descent(self, steps: int, learning_rate: float) -> Parameters:
        """Gradient descent from the start, after any number of steps at once.

        Args:
            steps: k ≥ 0.
            learning_rate: h > 0 on the normalised clock. The rate of Ma, Wu & E, whose loss has no
                factor ½, is h/2.

        Returns:
            Parameters of shapes (m,) and (m, d); infinite or NaN once an unstable descent has left
            the range of a float.

        Raises:
            ArgumentError: an argument is outside its domain.
        """
        size, sign = self._decay(steps, learning_rate)
        with np.errstate(over="ignore"):
            gone = np.where(sign > 0, -np.expm1(size), 1.0 + np.exp(size))
        return self._parameters(gone)

    def descent_mean_square(self, steps: int, learning_rate: float) -> float:
        """The mean square error that is trained on, after ``steps`` steps of gradient descent."""
        size, _ = self._decay(steps, learning_rate)
        with np.errstate(over="ignore"):
            return self._mean_square(np.exp(size))

    def _decay(self, steps: int, learning_rate: float) -> tuple[Array, Array]:
        """Log |1 − hλ|^k and the sign of (1 − hλ)^k of every mode, shapes (r,)."""
        k, h = non_negative_int("steps", steps), positive_float("learning_rate", learning_rate)
        if k == 0:
            return np.zeros_like(self.rates), np.ones_like(self.rates)
        share = h * self.rates
        with np.errstate(divide="ignore"):  # a mode that is gone after one step
            size = np.where(
                share < 1.0,
                np.log1p(-np.minimum(share, 1.0)),
                np.log1p(np.maximum(share, 1.0) - 2.0),
            )
        odd = (share > 1.0) & (k % 2 == 1)
        return float(k) * size, np.where(odd, -1.0, 1.0)

    def _exponent(self, time: float) -> Array:
        """λ t of every mode, shape (r,)."""
        if not time >= 0:
            raise ArgumentError(f"Argument `time` must be ≥ 0, but is {time}.")
        return self.rates * time

    def _flow(self, time: float) -> Array:
        return -np.expm1(-self._exponent(time))

    def _parameters(self, gone: Array) -> Parameters:
        """The state at which each mode has gone this share of its way."""
        with np.errstate(over="ignore", invalid="ignore"):
            a = self.start.a + self._spectrum.modes.T @ (gone * self._spectrum.goals)
        return Parameters(a, self.start.w)

    def _mean_square(self, left: Array) -> float:
        """The loss while each mode has this share of its way left."""
        with np.errstate(over="ignore"):
            part = (left * self._spectrum.sizes * self._spectrum.goals) ** 2
        return self._spectrum.rest + float(np.sum(part))
