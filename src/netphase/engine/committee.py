"""Order parameters of soft committees under online descent: their field, and one solver.

A student Σ v_k g(J_k·x) learns a teacher Σ v*_n g(B_n·x), g = erf(x/√2), x ~ N(0, I_N), by steps
J_i += (η/N) v_i g′ e x and v_i += (η_v/N) g e on the error e. In the time α = steps/N, for N → ∞,

    Ṙ_in = η v_i E g′(x_i) y_n e,    v̇_i = η_v E g(x_i) e,
    Q̇_ij = η E (v_i g′(x_i) x_j + v_j g′(x_j) x_i) e + (η²/B) v_i v_j E (e² + τ²) g′(x_i) g′(x_j).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netphase._types import Array, Status
from netphase.kernels import erf_forces, erf_gram, erf_noise


class CommitteeRates(NamedTuple):
    """Q̇ (K, K), Ṙ (K, M) and v̇ (K,)."""

    q: Array
    r: Array
    v: Array


@dataclass(frozen=True)
class CommitteeField:
    """The field; nothing is checked.

    Attributes:
        t: overlaps of the teacher, shape (M, M).
        outputs: v*, shape (M,).
        rate: η.
        output_rate: η_v.
        variance: τ².
        batch: B.
        spherical: whether every J_i keeps its length.
        quadratic: whether the term of η² counts.
    """

    t: Array
    outputs: Array
    rate: float
    output_rate: float
    variance: float
    batch: int
    spherical: bool
    quadratic: bool

    def rates(self, q: Array, r: Array, v: Array) -> CommitteeRates:
        """Q̇, Ṙ and v̇ at a state, shapes (K, K), (K, M) and (K,)."""
        units, c = len(v), self._covariance(q, r)
        b = np.concatenate([-v, self.outputs])
        forces = self.rate * v[:, None] * erf_forces(c, b, units)
        turned, along = forces[:, :units] + forces[:, :units].T, forces[:, units:]
        if self.quadratic:
            strength = self.rate * self.rate / self.batch * np.outer(v, v)
            turned += strength * erf_noise(c, b, units, self.variance)
        if self.spherical:
            stretch = np.diagonal(turned) / (2 * np.diagonal(q))
            turned = turned - q * (stretch + stretch[:, None])
            along = along - r * stretch[:, None]
        if self.output_rate == 0:
            return CommitteeRates(turned, along, np.zeros(units))
        return CommitteeRates(turned, along, self.output_rate * (erf_gram(c) @ b)[:units])

    def risk(self, q: Array, r: Array, v: Array) -> float:
        """½ E e², without the noise of the labels."""
        b = np.concatenate([-v, self.outputs])
        return float(b @ erf_gram(self._covariance(q, r)) @ b / 2)

    def _covariance(self, q: Array, r: Array) -> Array:
        units = len(q)
        c = np.empty((units + len(self.t), units + len(self.t)))
        c[:units, :units], c[units:, units:] = q, self.t
        c[:units, units:], c[units:, :units] = r, r.T
        return c


class CommitteeRun(NamedTuple):
    """What `solve_committee` gives.

    Attributes:
        states: those at the times that were reached, Q, R and v one after the other, (k, size).
        status: why it ended.
        steps: of the solver.
        evaluations: of the field.
    """

    states: Array
    status: Status
    steps: int
    evaluations: int


def flattened(q: Array, r: Array, v: Array) -> Array:
    """Q, R and v one after the other, shape (K² + KM + K,)."""
    return np.concatenate([q.ravel(), r.ravel(), v])


def split(flat: Array, units: int) -> tuple[Array, Array, Array]:
    """Q (…, K, K), R (…, K, M) and v (…, K) of flat states (…, size)."""
    square, before = units * units, flat.shape[:-1]
    learnt = flat.shape[-1] // units - units - 1
    return (
        flat[..., :square].reshape(*before, units, units),
        flat[..., square:-units].reshape(*before, units, learnt),
        flat[..., -units:],
    )


def solve_committee(
    field: CommitteeField,
    state: tuple[Array, Array, Array],
    times: Array,
    rtol: float,
    atol: float,
    max_steps: int,
) -> CommitteeRun:
    """Follow the order parameters from α = 0 by DOP853, explicit, of order 8.

    Args:
        field: the field.
        state: Q, R and v.
        times: increasing, ≥ 0, shape (k,).
        rtol: relative tolerance.
        atol: absolute tolerance.
        max_steps: most steps.

    Returns:
        The run.
    """
    from scipy.integrate import DOP853

    units, start = len(state[2]), flattened(*state)

    def flow(_: float, flat: Array) -> Array:
        return flattened(*field.rates(*split(flat, units)))

    found = [start] if times[0] == 0 else []
    if len(found) == len(times):
        return CommitteeRun(np.array(found), Status.TIME_REACHED, 0, 0)
    steps, status = 0, Status.TIME_REACHED
    with np.errstate(all="ignore"):
        solver = DOP853(flow, 0.0, start, float(times[-1]), rtol=rtol, atol=atol)
        while len(found) < len(times):
            if steps == max_steps:
                status = Status.MAX_STEPS
                break
            solver.step()
            steps += 1
            if solver.status == "failed" or not math.isfinite(float(solver.y @ solver.y)):
                status = Status.NON_FINITE
                break
            if times[len(found)] <= solver.t:
                between = solver.dense_output()
                while len(found) < len(times) and times[len(found)] <= solver.t:
                    found.append(between(times[len(found)]))
    states = np.array(found).reshape(-1, len(start))
    return CommitteeRun(states, status, steps, int(solver.nfev))
