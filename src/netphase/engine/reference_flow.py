"""The structured Rosenbrock gradient flow in NumPy: the readable definition of the compiled one.

The flow of all neurons u_k = (a_k, w_k) has the Jacobian A = −M (JᵀJ + B)/n with M the mobilities,
J = ∂f/∂u of rank ≤ n, and B block-diagonal, one (d+1)×(d+1) block a neuron. In the variables
v = M^(−½) u it is symmetric, and (cI − A)⁻¹ costs m small solves and one n×n system (Woodbury).
"""

from __future__ import annotations

import numpy as np

from netphase._types import Array
from netphase.engine.adaptive import DEFAULT_RTOL, Field, Trial, integrate
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.networks import Parameters

GAMMA = 0.25
"""Diagonal coefficient of Rodas4."""

# Rodas4 in the variables that avoid products with the Jacobian: row i of A forms the argument of
# stage i, row i of C its right-hand side; the last stage is also the error estimate.
A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [1.544, 0.0, 0.0, 0.0, 0.0],
        [0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],
    ]
)
C = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-5.6688, 0.0, 0.0, 0.0, 0.0],
        [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0],
        [
            8.083246795921522,
            -7.981132988064893,
            -31.52159432874371,
            16.31930543123136,
            -6.058818238834054,
        ],
    ]
)
DENSE = np.array(
    [
        [
            10.12623508344586,
            -7.487995877610167,
            -34.80091861555747,
            -7.992771707568823,
            1.025137723295662,
            0.0,
        ],
        [
            -0.6762803392806898,
            6.087714651680015,
            16.43084320892478,
            24.76722511418386,
            -6.594389125716872,
            0.0,
        ],
    ]
)


def flow_rosenbrock(
    problem: Problem,
    parameters: Parameters,
    *,
    rtol: float = DEFAULT_RTOL,
    stop: Stop,
    tracked: int,
    times: Array | None = None,
) -> Outcome:
    """Gradient flow by Rodas4 with the structured linear solve.

    Rodas4 has six stages, order 4 with an embedded solution of order 3, and is L-stable: it crosses
    both the exponential escape of small features and the stiff decay of the residual. The
    activation must be smooth for its order to hold; at the kinks of a ReLU the steps become tiny.

    Args:
        problem: the problem; evaluated in float64 whatever its dtype.
        parameters: the start, shapes (m,) and (m, d); not changed.
        rtol: tolerance of one step; see `netphase.engine.adaptive.error_ratio`.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        times: clock readings at which to record, shape (t,), instead of at accepted steps.

    Returns:
        The outcome.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1), or ``times`` is not an increasing list.

    References:
        Hairer, Wanner, Solving Ordinary Differential Equations II (1996), sections IV.7 and VI.4.
    """
    scheme = Rodas4(Field(problem))
    return integrate(scheme, parameters, rtol=rtol, stop=stop, tracked=tracked, times=times)


def linearise(field: Field, u: Array, residual: Array) -> tuple[Array, Array]:
    """J M^½ and M^½ B M^½ at a state.

    Args:
        field: the flow.
        u: state, shape (m, d + 1).
        residual: e there, shape (n,).

    Returns:
        Shapes (n, m, d + 1) and (m, d + 1, d + 1).
    """
    x, s, activation, a = field.x, field.scale, field.activation, u[:, 0]
    root = np.sqrt(field.mobility)
    z = x @ u[:, 1:].T
    slope = activation.derivative(z)
    j = np.empty((len(x), *u.shape))
    j[:, :, 0] = s * activation.value(z)
    j[:, :, 1:] = (s * slope * a)[:, :, None] * x[:, None, :]
    b = np.zeros((*u.shape, u.shape[1]))
    b[:, 0, 1:] = s * (slope * residual[:, None]).T @ x
    b[:, 1:, 0] = b[:, 0, 1:]
    curvature = s * activation.second_derivative(z) * residual[:, None] * a
    b[:, 1:, 1:] = np.einsum("ik,ip,iq->kpq", curvature, x, x, optimize=True)
    return j * root, b * root[:, None] * root


class StructuredSolver:
    """(cI + (B + JᵀJ)/n)⁻¹ in the symmetric variables.

    Args:
        j: J M^½, shape (n, m, d + 1).
        b: M^½ B M^½, shape (m, d + 1, d + 1).
        c: shift, > 0.
    """

    def __init__(self, j: Array, b: Array, c: float) -> None:
        n = len(j)
        self._inverse = np.linalg.inv(b / n + c * np.eye(b.shape[1]))
        self._j = j
        self._wide = np.einsum("imp,mpq->imq", j, self._inverse)
        self._small = n * np.eye(n) + np.einsum("imp,jmp->ij", self._wide, j, optimize=True)

    def solve(self, right: Array) -> Array:
        """The solution for one right-hand side, both of shape (m, d + 1)."""
        q = np.linalg.solve(self._small, np.einsum("imp,mp->i", self._wide, right))
        local = np.einsum("mpq,mq->mp", self._inverse, right)
        return np.asarray(local - np.einsum("i,imp->mp", q, self._wide))


class Rodas4:
    """One step of the Rosenbrock method.

    Args:
        field: the flow.
    """

    exponent = 0.25

    def __init__(self, field: Field) -> None:
        self.field = field
        self.solves = 0
        self._root = np.sqrt(field.mobility)
        self._stages: Array = np.empty(0)

    def begin(self, u: Array) -> tuple[Array, Array]:
        """Sets the start; returns e and du/dt there."""
        residual, flow = self.field.velocity(u)
        self._set(u, residual, flow)
        return residual, flow

    def attempt(self, h: float) -> Trial:
        """One step of length h from the accepted state."""
        try:
            solver = StructuredSolver(self._j, self._b, 1.0 / (GAMMA * h))
            self._stages, embedded = self._run_stages(solver, h)
        except np.linalg.LinAlgError:
            nothing = np.full_like(self._u, np.nan)
            return Trial(nothing, nothing, self._residual * np.nan, self._residual)
        error = self._root * self._stages[5]
        self._new = self._argument(5) + error
        self._new_residual, self._new_flow = self.field.velocity(self._new)
        return Trial(self._new, error, self._new_residual, embedded)

    def accept(self) -> None:
        """Makes the last attempted step the accepted state."""
        self._set(self._new, self._new_residual, self._new_flow)

    def dense(self, s: float) -> Array:
        """The state at the fraction s of the last step, third order, shape (m, d + 1)."""
        first, second = self._root * np.tensordot(DENSE, self._stages, axes=1)
        bend = first + s * second
        return np.asarray((1.0 - s) * self._u + s * (self._new + (1.0 - s) * bend))

    def _set(self, u: Array, residual: Array, flow: Array) -> None:
        self._u, self._residual, self._flow = u, residual, flow
        self._j, self._b = linearise(self.field, u, residual)

    def _argument(self, i: int) -> Array:
        return np.asarray(self._u + self._root * np.tensordot(A[i, :i], self._stages[:i], axes=1))

    def _run_stages(self, solver: StructuredSolver, h: float) -> tuple[Array, Array]:
        self._stages = np.zeros((6, *self._u.shape))
        residual, flow = self._residual, self._flow
        for i in range(6):
            if i > 0:
                residual, flow = self.field.velocity(self._argument(i))
            right = self._symmetric(flow) + np.tensordot(C[i, :i] / h, self._stages[:i], axes=1)
            self._stages[i] = solver.solve(right)
            self.solves += 1
        return self._stages, residual

    def _symmetric(self, flow: Array) -> Array:
        """M^(−½) du/dt; zero where a block is frozen."""
        return np.divide(flow, self._root, out=np.zeros_like(flow), where=self._root > 0.0)
