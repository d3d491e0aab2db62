"""How parameters are advanced: descent on all data or on batches, gradient flow, or Adam."""

from __future__ import annotations

from typing import Literal

import msgspec

from netphase._checks import finite_float, positive_float, positive_int
from netphase.errors import ArgumentError
from netphase.seeds import Stream, generator

TOLERANCE = 0.01
"""Tolerance of the automatic descent where none is given."""

AT_KINKS = "automatic descent (the activation has kinks)"
"""What a trajectory says of the descent that replaces `Flow` at kinks."""

FALLBACK_TOLERANCE = 20.0
"""Tolerance of this descent in units of rtol."""

LARGEST_FALLBACK = 0.5
"""The largest tolerance of it."""


class Descent(msgspec.Struct, frozen=True, tag="descent"):
    """Full-batch gradient descent.

    Attributes:
        learning_rate: a number is literal gradient descent, θ ← θ − η ∇R on the normalised clock
            (η = raw step / (β₁β₂) for equal layer rates). "stable" is literal gradient descent too,
            with η = 1/λ_max, half the limit of stability, looked up along the run: λ_max is the
            largest eigenvalue of the tangent Gram matrix divided by n. "auto" follows the gradient
            flow instead: every step is a gradient step with the residual averaged over it, as long
            as ``tolerance`` allows; a step that raises the loss is undone and halved. For deep
            networks it is computed in float64, and `DeepTrajectory.notes` holds ``gradients``.
        tolerance: for "auto", the relative error of the relative changes against gradient flow.

    A literal descent notes in `Trajectory.notes` how far it was from the edge of stability:
    ``largest_sharpness`` is the largest η λ_max/2 seen (above 1 the step is unstable where the
    network is linear), ``rising_records`` the share of records in which the loss rose.

    Raises:
        ArgumentError: ``learning_rate`` is neither positive nor "auto" nor "stable", or
            ``tolerance`` is not in (0, 1) or given where the rate is not "auto".

    References:
        Ma, Wu & E (2020) train at literal rates below this limit; their rate, on the loss without
        the factor ½, is half of η.

    Example:
        >>> Descent("stable").automatic
        False
    """

    learning_rate: float | Literal["auto", "stable"] = "auto"
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if isinstance(self.learning_rate, str):
            if self.learning_rate not in ("auto", "stable"):
                raise ArgumentError(
                    "Argument `learning_rate` must be a positive number, 'auto' or 'stable', but "
                    f"is {self.learning_rate!r}."
                )
        else:
            rate = positive_float("learning_rate", self.learning_rate)
            msgspec.structs.force_setattr(self, "learning_rate", rate)  # a whole number, too
        _fraction("tolerance", self.tolerance)
        if not self.automatic and self.tolerance != TOLERANCE:
            raise ArgumentError(
                "Argument `tolerance` must be left out where `learning_rate` is not 'auto', as "
                f"{self.learning_rate!r}: literal descent has none."
            )

    @property
    def automatic(self) -> bool:
        """Whether the steps follow the gradient flow."""
        return self.learning_rate == "auto"


class StochasticDescent(msgspec.Struct, frozen=True, tag="stochastic_descent"):
    """Mini-batch gradient descent of deep networks, without replacement.

    An epoch is one permutation of the n samples cut into ⌊n/b⌋ batches; the n mod b samples left
    over sit it out. All networks of an ensemble see the same batches, so that a run does not depend
    on which networks run beside it; runs with seeds of their own are independent. The clock is that
    of `Descent`: a step adds ``learning_rate``. The loss that is recorded, and that ends a run, is
    that of all data, looked up at every row of the history, after every epoch and at the end.

    Attributes:
        learning_rate: h > 0, in θ ← θ − h ∇R_B with the mean loss R_B of a batch.
        batch: b ≥ 1, at most n; with b = n it is `Descent`.
        seed: of the permutations.

    Raises:
        ArgumentError: a number is outside its range.

    Example:
        >>> from netphase import activations, datasets, dynamics, networks
        >>> from netphase.engine import Stop
        >>> from netphase.scalings import layer_initialisation
        >>> data = datasets.four_points()
        >>> scales = layer_initialisation("ntk", depth=2, d=2).at_width(50)
        >>> network = networks.MultiLayerNetwork(activations.get("tanh"), scales, inputs=2)
        >>> start = networks.initial_layer_parameters(network, seeds=range(2))
        >>> task = dynamics.DeepGradientDynamics(network, data.x, data.y)
        >>> run = dynamics.evolve(task, StochasticDescent(0.3, batch=2), start)
        >>> [status.value for status in run.status]
        ['converged', 'converged']
    """

    learning_rate: float
    batch: int
    seed: int = 0

    def __post_init__(self) -> None:
        rate = positive_float("learning_rate", self.learning_rate)
        msgspec.structs.force_setattr(self, "learning_rate", rate)  # a whole number, too
        positive_int("batch", self.batch)
        generator(self.seed, Stream.BATCHES)  # refuses what is no seed


class Flow(msgspec.Struct, frozen=True, tag="flow"):
    """Gradient flow with error control.

    Smooth activations use a structured Rosenbrock method (implicit, for few samples in few
    dimensions) or an explicit Runge–Kutta pair. A field with kinks (ReLU) defeats both; there the
    automatic descent at tolerance 20 × ``rtol`` takes over, and the trajectory says so. The same
    holds for deep networks, whose smooth flow is always explicit.

    Attributes:
        rtol: tolerance of one step. The default keeps the loss at all times and the changes of the
            parameters within 1e-3 of the exact flow.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1).
    """

    rtol: float = 5e-5

    def __post_init__(self) -> None:
        _fraction("rtol", self.rtol)

    @property
    def tolerance_at_kinks(self) -> float:
        """Tolerance of the automatic descent that takes over where the activation has kinks."""
        return min(FALLBACK_TOLERANCE * self.rtol, LARGEST_FALLBACK)


class Adam(msgspec.Struct, frozen=True, tag="adam"):
    """Full-batch Adam in the raw variables a and w, on R = (1/2n) Σ e².

    It is no approximation of gradient flow: every weight moves by about the learning rate a step,
    however small its gradient. Times are steps: `Trajectory.time`, ``Stop.time`` and the ``times``
    of `evolve` count them. Computed in float64; the start sets the dtype of what comes back.

    Attributes:
        learning_rate: raw; where the layers have rates of their own, their geometric mean.
        decay1: decay of the mean of gradients, in [0, 1).
        decay2: decay of the mean of their squares, in [0, 1).
        epsilon: added to the root of the latter, ≥ 0.

    Raises:
        ArgumentError: a number is outside its range.

    References:
        Kingma & Ba (ICLR 2015), algorithm 1 and its default numbers.

    Example:
        >>> Adam(learning_rate=5e-4).decay2
        0.999
    """

    learning_rate: float = 1e-3
    decay1: float = 0.9
    decay2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        positive_float("learning_rate", self.learning_rate)
        for name in ("decay1", "decay2"):
            decay = finite_float(name, getattr(self, name))
            if not 0.0 <= decay < 1.0:
                raise ArgumentError(f"Argument `{name}` must lie in [0, 1), but is {decay!r}.")
        if finite_float("epsilon", self.epsilon) < 0.0:
            raise ArgumentError(
                f"Argument `epsilon` must not be negative, but is {self.epsilon!r}."
            )


Method = Descent | StochasticDescent | Flow | Adam


def _fraction(name: str, value: float) -> None:
    if positive_float(name, value) >= 1.0:
        raise ArgumentError(f"Argument `{name}` must lie between 0 and 1, but is {value!r}.")
