"""Gradient flow by an explicit method: matrix products only, for inputs too large for solves.

The work of one evaluation is that of one gradient, 4ndm operations in BLAS; memory is about eleven
copies of the parameters and four arrays of shape (n, m).
"""

from __future__ import annotations

import numpy as np

from netphase._types import Array
from netphase.engine.adaptive import DEFAULT_RTOL, Field, Trial, integrate
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.networks import Parameters

# Tsit5: row i of A forms the argument of stage i (the last row is the new state), E the error.
A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.161, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-0.008480655492356989, 0.335480655492357, 0.0, 0.0, 0.0, 0.0],
        [2.897153057105493, -6.359448489975075, 4.362295432869582, 0.0, 0.0, 0.0],
        [
            5.325864828439257,
            -11.748883564062828,
            7.4955393428898365,
            -0.09249506636175525,
            0.0,
            0.0,
        ],
        [
            5.86145544294642,
            -12.92096931784711,
            8.159367898576159,
            -0.071584973281401,
            -0.028269050394068383,
            0.0,
        ],
        [
            0.09646076681806523,
            0.01,
            0.4798896504144996,
            1.379008574103742,
            -3.290069515436081,
            2.324710524099774,
        ],
    ]
)
ERROR = np.array(
    [
        0.001780011052225777,
        0.000816434459656747,
        -0.007880878010261995,
        0.144711007173263,
        -0.582357165452555,
        0.458082105929187,
        -1.0 / 66.0,
    ]
)


def flow_explicit(
    problem: Problem,
    parameters: Parameters,
    *,
    rtol: float = DEFAULT_RTOL,
    stop: Stop,
    tracked: int,
    times: Array | None = None,
) -> Outcome:
    """Gradient flow by Tsit5, an explicit Runge–Kutta pair of orders 5 and 4.

    Its steps are limited by the largest eigenvalue of the tangent Gram matrix, so a run costs about
    two evaluations per unit of (largest eigenvalue × time) once the residual decays slowly.

    Args:
        problem: the problem; evaluated in float64 whatever its dtype.
        parameters: the start, shapes (m,) and (m, d); not changed.
        rtol: tolerance of one step; see `netphase.engine.adaptive.error_ratio`.
        stop: when to end.
        tracked: how many of the first neurons count in the recorded changes.
        times: clock readings at which to record, shape (t,), instead of at accepted steps.

    Returns:
        The outcome; ``solves`` is 0.

    Raises:
        ArgumentError: ``rtol`` is not in (0, 1), or ``times`` is not an increasing list.

    References:
        Tsitouras (Computers & Mathematics with Applications 62, 2011), table 1 and section 3.
    """
    scheme = Tsit5(Field(problem))
    return integrate(scheme, parameters, rtol=rtol, stop=stop, tracked=tracked, times=times)


def dense_weights(s: float) -> Array:
    """Weights b(s) of the seven stages in the continuous output of order 4, shape (7,)."""
    return np.array(
        [
            -1.0530884977290216
            * s
            * (s - 1.3299890189751412)
            * (s * s - 1.4364028541716351 * s + 0.7139816917074209),
            0.1017 * s * s * (s * s - 2.1966568338249754 * s + 1.2949852507374631),
            2.490627285651252793 * s * s * (s * s - 2.38535645472061657 * s + 1.57803468208092486),
            -16.54810288924490272 * (s - 1.21712927295533244) * (s - 0.61620406037800089) * s * s,
            47.37952196281928122 * (s - 1.203071208372362603) * (s - 0.658047292653547382) * s * s,
            -34.87065786149660974 * (s - 1.2) * (s - 2.0 / 3.0) * s * s,
            2.5 * (s - 1.0) * (s - 0.6) * s * s,
        ]
    )


class Tsit5:
    """One step of the explicit pair; the last stage is the first of the next step.

    Args:
        field: the flow.
    """

    exponent = 0.2
    solves = 0

    def __init__(self, field: Field) -> None:
        self.field = field
        self._h = 0.0

    def begin(self, u: Array) -> tuple[Array, Array]:
        """Sets the start; returns e and du/dt there."""
        residual, flow = self.field.velocity(u)
        self._u = u
        self._flows: Array = np.zeros((7, *u.shape))
        self._flows[0] = flow
        return residual, flow

    def attempt(self, h: float) -> Trial:
        """One step of length h from the accepted state."""
        self._h = h
        for i in range(1, 7):
            self._new = self._combine(h * A[i, :i])
            residual, self._flows[i] = self.field.velocity(self._new)
        error = np.tensordot(h * ERROR, self._flows, axes=1)
        embedded = self.field.residual(self._new - error)
        return Trial(self._new, error, residual, embedded)

    def accept(self) -> None:
        """Makes the last attempted step the accepted state."""
        self._u = self._new
        self._flows[0] = self._flows[6]

    def dense(self, s: float) -> Array:
        """The state at the fraction s of the last step, fourth order, shape (m, d + 1)."""
        return self._combine(self._h * dense_weights(s))

    def _combine(self, weights: Array) -> Array:
        return np.asarray(self._u + np.tensordot(weights, self._flows[: len(weights)], axes=1))
