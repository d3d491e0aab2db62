"""Gradient training on infinitely many random inputs: the population risk and its flow, exact."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netphase._checks import instance_of, one_of
from netphase._types import Array, InputLaw
from netphase.dynamics.methods import Descent, Flow
from netphase.engine.population import (
    PopulationProblem,
    descend_population,
    flow_chebyshev,
    open_field,
    population_problem,
    reduced,
)
from netphase.engine.problem import Outcome, Stop
from netphase.kernels import INPUT_LAWS
from netphase.networks import Parameters, TwoLayerNetwork
from netphase.targets import Target

AUTO_SHARE = 5e-3
"""Tolerance of one step of the flow that `Descent` "auto" follows, a part of its tolerance."""


@dataclass(frozen=True)
class PopulationDynamics:
    """dā/dt̄ = −(1/κ′) ∂R/∂ā and dw̄/dt̄ = −κ′ ∂R/∂w̄, with R = ½ E (f(x) − f*(x))².

    This is `GradientDynamics` with infinitely many samples: averages over x are closed forms, and
    nothing is drawn. The clock is t̄ = t/(β₁β₂). Gradient descent on E(f − f*)² at rate η, as Ma, Wu
    and E write it, is `Descent` (2η), and its step k is the time 2ηk; the rate η_code of their
    program, whose loss is 2πE(f − f*)², is `Descent` (4πη_code). Any scales will do: in the
    mean-field one, ``Scales(alpha=m, …)``, their rate is mη, so that step k is the time 2mηk, and
    with α = m^γ it is ηm^(2γ−1).

    `Flow`, and `Descent` at "auto", follow the flow by a stabilised explicit method; other descents
    are literal. More inputs than neurons cost no more than as many.

    Attributes:
        network: the map, with its scales.
        target: f*.
        inputs: "gaussian" for x ~ N(0, I_d), "sphere" for x even on the unit sphere.

    Raises:
        ArgumentError: an attribute is of another type, or the averages have no closed form.

    References:
        Ma, Wu & E (2020), population dynamics.

    Example:
        >>> import netphase as nph
        >>> from netphase import targets
        >>> network = nph.TwoLayerNetwork(nph.activations.get("relu"), nph.Scales(1.0, 1.0, 1.0))
        >>> dynamics = PopulationDynamics(network, targets.single_neuron(5))
        >>> start = Parameters(np.zeros(10), np.eye(10, 5) + 0.1)
        >>> nph.evolve(dynamics, nph.Flow(), start).status.value
        'converged'
    """

    network: TwoLayerNetwork
    target: Target
    inputs: InputLaw = "gaussian"

    def __post_init__(self) -> None:
        instance_of("network", self.network, TwoLayerNetwork, "a TwoLayerNetwork")
        instance_of("target", self.target, Target, "a Target")
        one_of("inputs", self.inputs, INPUT_LAWS)
        open_field(self.problem())

    def problem(self) -> PopulationProblem:
        """The same equation as the engine takes it."""
        return population_problem(self.network, self.target, self.inputs)

    def advance(
        self, method: Descent | Flow, state: Parameters, stop: Stop, tracked: int, times: Array
    ) -> tuple[str, Outcome, tuple[Parameters, ...]]:
        """Advances parameters; see `netphase.dynamics.evolve` for the arguments.

        Args:
            method: how.
            state: the start, shapes (m,) and (m, d).
            stop: when to end.
            tracked: neurons that count in the recorded changes.
            times: times of the snapshots, shape (t,); empty for none.

        Returns:
            The integrator in words, the outcome, and the parameters at ``times``.
        """
        problem, basis, start = self.problem(), None, state
        if (fewer := reduced(problem, state.w)) is not None:
            problem, basis = fewer
            start = Parameters(state.a, (state.w @ basis).astype(state.w.dtype))
        name, outcome, kept = _advance(problem, method, start, stop, tracked, times)
        if basis is None:
            return name, outcome, kept

        def back(parameters: Parameters) -> Parameters:
            w = parameters.w @ basis.T
            return Parameters(parameters.a, np.ascontiguousarray(w, dtype=state.w.dtype))

        outcome = replace(outcome, parameters=back(outcome.parameters))
        return name, outcome, tuple(map(back, kept))


def _advance(
    problem: PopulationProblem,
    method: Descent | Flow,
    start: Parameters,
    stop: Stop,
    tracked: int,
    times: Array,
) -> tuple[str, Outcome, tuple[Parameters, ...]]:
    field = open_field(problem)
    if isinstance(method, Flow) or method.learning_rate == "auto":
        rtol = method.rtol if isinstance(method, Flow) else AUTO_SHARE * method.tolerance
        outcome, kept = flow_chebyshev(
            field, start, rtol=rtol, stop=stop, tracked=tracked, times=times
        )
        return "stabilised explicit method", outcome, kept
    literal = None if method.learning_rate == "stable" else method.learning_rate
    outcome, kept = descend_population(
        field, start, learning_rate=literal, stop=stop, tracked=tracked, times=times
    )
    name = "gradient descent at half the limit of stability"
    return (name if literal is None else "gradient descent"), outcome, kept
