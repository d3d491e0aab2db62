"""The population field in the compiled engine: piecewise linear networks, without m² memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netphase._types import Array
from netphase.engine.population.field import Marched, PopulationField
from netphase.engine.population.problem import PopulationProblem, slope_of
from netphase.engine.population.reference import Pass
from netphase.engine.population.sphere import sphere_tables
from netphase.errors import ArgumentError

if TYPE_CHECKING:
    from netphase.engine import _core


class CompiledField(PopulationField):
    """`PopulationField` of a piecewise linear network on a target of such neurons.

    Args:
        problem: the problem.
        square: E f*² for Gaussian inputs where it is known, or does not matter.
    """

    def __init__(self, problem: PopulationProblem, square: float | None = None) -> None:
        super().__init__(problem)
        self._square = self._target_square() if square is None else square
        self._core: _core.Population | None = None
        self._width = 0

    def look(self, a: Array, w: Array) -> Pass:
        """Risk and gradient at some parameters, shapes (m,) and (m, d)."""
        mean_square, flow = self._at(len(a)).velocity(np.column_stack([a, w]).astype(np.float64))
        gradient = -flow / self.mobility
        return Pass(mean_square, gradient[:, 0], gradient[:, 1:])

    def velocity(self, u: Array) -> tuple[float, Array]:
        """E e² and du/dt at a state."""
        self.evaluations += 1
        mean_square, flow = self._at(len(u)).velocity(np.ascontiguousarray(u))
        return mean_square, flow

    def march(
        self, u: Array, flow: Array, step: float, count: int, bounds: tuple[float, float]
    ) -> Marched:
        """Up to ``count`` steps of one length, see `PopulationField.march`."""
        found = Marched(*self._at(len(u)).march(u, flow, step, count, *bounds))
        self.evaluations += found.done
        return found

    def chebyshev(
        self, u: Array, flow: Array, step: float, table: Array, fractions: Array
    ) -> tuple[Array, Array]:
        """One step of the stabilised method, see `PopulationField.chebyshev`."""
        self.evaluations += len(table) - 2
        after, between = self._at(len(u)).chebyshev(u, flow, step, table, fractions)
        return after, between

    def on_itself(self, u: Array) -> PopulationField:
        """The field of the network with its own function at a state as the target."""
        return CompiledField(self.problem.on_itself(u), square=0.0)

    def _at(self, width: int) -> _core.Population:
        """The compiled object for one number of neurons."""
        if self._core is None or width != self._width:
            problem = self.problem
            try:
                self._core, self._width = _open(problem, width, self._square), width
            except MemoryError:
                raise ArgumentError(
                    f"Argument `state` must fit into memory some ten times, but {width} neurons of "
                    f"{problem.d} inputs do not."
                ) from None
        return self._core

    def _target_square(self) -> float:
        """E f*² as the risk of its neurons on the rest of it: no M² memory either."""
        problem = self.problem
        if len(problem.target_a) == 0:
            return problem.sphere_square
        neurons = CompiledField(problem.neurons_on_sphere(), square=problem.sphere_square)
        return neurons.look(problem.target_a, problem.target_c).mean_square


def _open(problem: PopulationProblem, width: int, square: float) -> _core.Population:
    from netphase.engine import _core

    slope, other = slope_of(problem.activation), slope_of(problem.target_activation)
    assert slope is not None
    assert other is not None
    value, steep = sphere_tables(problem.sphere) if problem.sphere else (np.zeros((1, 1)),) * 2
    return _core.Population(
        width,
        np.ascontiguousarray(problem.target_a, dtype=np.float64),
        np.ascontiguousarray(problem.target_c, dtype=np.float64),
        value,
        steep,
        slope=slope,
        target_slope=other,
        scale=problem.output_scale,
        mobility_a=problem.mobility_a,
        mobility_w=problem.mobility_w,
        sphere=problem.sphere,
        sphere_weight=problem.sphere_weight,
        square=square,
        power=problem.power,
    )
