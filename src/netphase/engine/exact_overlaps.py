"""The flow of the overlaps (a, s, r) of a two-layer network: its field, and one adaptive solver.

With V(s) = E φ σ and U(r) = E σ σ of correlated normal variables, and b = a/m,

    ε ȧ_i = V(s_i) − Σ_j b_j U(r_ij)
      ṡ_i = a_i [V′(s_i)(1 − s_i²) − Σ_j b_j U′(r_ij)(s_j − r_ij s_i)]
     ṙ_ij = T_ij + T_ji,  T_ij = a_i [V′(s_i)(s_j − r_ij s_i) − Σ_p b_p U′(r_ip)(r_pj − r_ij r_ip)].

Where the target has several directions, s_i is a vector and V′ a gradient: V′ s_j is a product of
vectors, and V′(s_i)(1 − s_i²) reads (1 − s_i s_iᵀ) V′(s_i).

Only the equation of a is stiff, and it is linear in a. It is solved implicitly, s and r explicitly,
by the additive Runge-Kutta method ARK4(3)6L[2]SA of Kennedy and Carpenter (2003): steps are not
bound by ε.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np

from netphase._types import Array, Status
from netphase.engine.history import GIVE_UP
from netphase.hermite import DualMap, HermiteSeries, MultiIndexTarget

Target: TypeAlias = HermiteSeries | MultiIndexTarget
"""A function of one direction, with s of shape (m,), or of p of them, with s of shape (m, p)."""

EXPLICIT = (
    (),
    (1 / 2,),
    (13861 / 62500, 6889 / 62500),
    (
        -116923316275 / 2393684061468,
        -2731218467317 / 15368042101831,
        9408046702089 / 11113171139209,
    ),
    (
        -451086348788 / 2902428689909,
        -2682348792572 / 7519795681897,
        12662868775082 / 11960479115383,
        3355817975965 / 11060851509271,
    ),
    (
        647845179188 / 3216320057751,
        73281519250 / 8382639484533,
        552539513391 / 3454668386233,
        3354512671639 / 8306763924573,
        4040 / 17871,
    ),
)
"""Stages of s and r, below the diagonal."""

IMPLICIT = (
    (),
    (1 / 4,),
    (8611 / 62500, -1743 / 31250),
    (5012029 / 34652500, -654441 / 2922500, 174375 / 388108),
    (15267082809 / 155376265600, -71443401 / 120774400, 730878875 / 902184768, 2285395 / 8070912),
    (82889 / 524892, 0.0, 15625 / 83664, 69875 / 102672, -2260 / 8211),
)
"""Stages of a, below the diagonal, which is ¼."""

DIAGONAL = 1 / 4
NODES = tuple(math.fsum(row) for row in EXPLICIT)
"""Where the stages lie in a step."""

WEIGHTS = np.array([*IMPLICIT[5], DIAGONAL])
EMBEDDED = np.array(
    [
        4586570599 / 29645900160,
        0.0,
        178811875 / 945068544,
        814220225 / 1159782912,
        -3700637 / 11593932,
        61727 / 225920,
    ]
)
"""The embedded method of order 3, whose difference estimates the error."""

_RELAXED, _PRODUCTS = 1e-13, 24  # of conjugate gradients: their accuracy, and most products
_BLOCK = 64  # rows of the kernels that are filled together
_SAFETY, _LEAST, _MOST = 0.9, 0.2, 4.0  # of the change of a step
_SMALLEST = 1e-14  # a step below this part of the time is none


class Rates(NamedTuple):
    """ȧ (m,), ṡ (m,) or (m, p), and ṙ (m, m)."""

    a: Array
    s: Array
    r: Array


def overlap_shape(width: int, phi: Target) -> tuple[int, ...]:
    """The shape of s, (m,) or (m, p)."""
    return (width, phi.projections) if isinstance(phi, MultiIndexTarget) else (width,)


def reference_rates(
    a: Array, s: Array, r: Array, sigma: HermiteSeries, phi: Target, epsilon: float
) -> Rates:
    """The field as it is written, in NumPy, shapes (m,), (m,) or (m, p), and (m, m)."""
    kernel, overlap, b = sigma.dual(r), phi.cross(sigma)(s), a / len(a)
    value = np.where(r == 1.0, sigma.square, kernel.value)
    pull = (kernel.slope * r) @ b
    turn = (kernel.slope * b) @ r - r * pull[:, None]
    rows, slope = s.reshape(len(a), -1), overlap.slope.reshape(len(a), -1)
    own = np.sum(slope * rows, axis=1, keepdims=True)
    half = a[:, None] * (slope @ rows.T - r * own - turn)
    drive = slope - rows * own
    along = a[:, None] * (drive - kernel.slope @ (b[:, None] * rows) + rows * pull[:, None])
    return Rates((overlap.value - value @ b) / epsilon, along.reshape(s.shape), half + half.T)


class OverlapField:
    """The field with arrays of its own: `look` at (s, r), then `turn` it or `settle` a.

    The solver leaves in ``time`` where it stands, for fields that change with it.

    Args:
        width: m.
        sigma: σ.
        phi: φ.
        epsilon: ε, infinite for an output layer that stands still.
    """

    def __init__(self, width: int, sigma: HermiteSeries, phi: Target, epsilon: float) -> None:
        self.width, self.epsilon, self.square = width, epsilon, sigma.square
        self.target_square = phi.square
        self._dual: DualMap = sigma.dual
        self._cross: DualMap = phi.cross(sigma)
        self.shape = overlap_shape(width, phi)
        self.kernel, self._slope = np.empty((width, width)), np.empty((width, width))
        self._product = np.empty((width, width))
        self._value: Array = np.empty(width)
        self._steep: Array = np.empty(self.shape)
        self.evaluations, self.time = 0, 0.0

    def look(self, s: Array, r: Array) -> None:
        """Fill in U, U′, V and V′; blocks of the upper triangle, mirrored."""
        self._value, self._steep = self._cross(s)
        for start in range(0, self.width, _BLOCK):
            rows, right = slice(start, start + _BLOCK), slice(start, None)
            for whole, part in zip(
                (self.kernel, self._slope), self._dual(r[rows, right]), strict=True
            ):
                whole[rows, right] = part
                whole[right, rows] = part.T
        np.fill_diagonal(self.kernel, self.square)
        self.evaluations += 1

    def risk(self, a: Array) -> float:
        """½ E (φ − f)² where it looked."""
        b = a / self.width
        return float(0.5 * self.target_square - b @ self._value + 0.5 * b @ (self.kernel @ b))

    def speed(self, a: Array) -> Array:
        """ȧ where it looked."""
        return (self._value - self.kernel @ (a / self.width)) / self.epsilon

    def settle(self, known: Array, reach: float, guess: Array) -> Array:
        """The a with a − reach · ȧ(a) = known.

        Args:
            known: shape (m,).
            reach: a time, > 0.
            guess: an a that may be near.

        Returns:
            The a, shape (m,).
        """
        if math.isinf(self.epsilon):
            return known
        return self.relax(known + reach / self.epsilon * self._value, reach, guess)

    def relax(self, right: Array, reach: float, guess: Array) -> Array:
        """The x with (1 + reach U/(mε)) x = right, by conjugate gradients, else by its factors.

        All but some few eigenvalues of U/m are near zero: a handful of products is enough.
        """
        if math.isinf(self.epsilon):
            return right
        factor = reach / (self.epsilon * self.width)
        x = guess.copy()
        rest = right - x - factor * (self.kernel @ x)
        way, power = rest, float(rest @ rest)
        enough = (_RELAXED * float(np.linalg.norm(right))) ** 2
        for _ in range(_PRODUCTS):
            if not power > enough:
                return x
            turned = way + factor * (self.kernel @ way)
            length = power / float(way @ turned)
            x += length * way
            rest = rest - length * turned
            power, before = float(rest @ rest), power
            way = rest + power / before * way
        return self._factored(right, factor)

    def _factored(self, right: Array, factor: float) -> Array:
        from scipy.linalg.lapack import dposv

        matrix = self.kernel * factor
        matrix.flat[:: self.width + 1] += 1.0
        # rows for columns: it is symmetric, and LAPACK then works in place
        _, found, fault = dposv(matrix.T, right, overwrite_a=True)
        return np.asarray(found) if fault == 0 else np.full(self.width, math.nan)

    def turn(self, a: Array, s: Array, r: Array, into: Array) -> None:
        """ṡ and ṙ, one after the other in a flat array; spoils U′."""
        m, rows = self.width, s.reshape(self.width, -1)
        drive = a[:, None] * self._steep.reshape(rows.shape)
        pulled = self._slope
        pulled *= a[:, None]
        pulled *= a / m
        across = np.matmul(pulled, r, out=self._product)
        along = np.diagonal(across).copy()  # a_i Σ_p b_p U′(r_ip) r_ip, for r is symmetric
        own = (np.einsum("ij,ij->i", drive, rows) - along)[:, None]
        into[: rows.size] = (drive - pulled @ rows - own * rows).ravel()
        half = np.multiply(own, r, out=pulled)
        half += across
        rates = into[rows.size :].reshape(m, m)
        np.matmul(drive, rows.T, out=rates)
        rates -= half
        half[...] = rates
        rates += half.T
        # exactly: where one neuron's own pull is strong, a length other than 1 runs away
        rates.flat[:: m + 1] = 0.0


class Snapshot(NamedTuple):
    """A state that was asked for: time, risk, and a (m,), s (m,) or (m, p), r (m, m)."""

    time: float
    risk: float
    a: Array
    s: Array
    r: Array


class OverlapRun(NamedTuple):
    """What `solve_exact_overlaps` gives.

    Attributes:
        snapshots: the states at the times that were reached.
        times: every step's time, from 0.
        risks: every step's risk.
        status: why it ended.
        evaluations: of the field.
    """

    snapshots: list[Snapshot]
    times: list[float]
    risks: list[float]
    status: Status
    evaluations: int


class _Stepper:
    """One state on its way: a, and s and r one after the other in ``flat``."""

    def __init__(
        self, field: OverlapField, a: Array, s: Array, r: Array, rtol: float, atol: float
    ) -> None:
        self.field, self.a, self.rtol, self.atol = field, a.copy(), rtol, atol
        self.time = 0.0
        self.flat = np.concatenate([s.ravel(), r.ravel()])
        self._count = s.size
        self._speeds = np.empty((6, len(a)))
        self._rates = np.empty((6, len(self.flat)))
        self._stage, self._next = np.empty_like(self.flat), np.empty_like(self.flat)
        self.risk = self.start()

    def split(self, flat: Array) -> tuple[Array, Array]:
        """Views of s and r."""
        m, count = self.field.width, self._count
        return flat[:count].reshape(self.field.shape), flat[count:].reshape(m, m)

    def start(self) -> float:
        """The first stage of the next step; the risk."""
        s, r = self.split(self.flat)
        self.field.time = self.time
        self.field.look(s, r)
        self._speeds[0] = self.field.speed(self.a)
        risk = self.field.risk(self.a)
        self.field.turn(self.a, s, r, self._rates[0])
        return risk

    def first_step(self) -> float:
        """A hundredth of the time in which the state changes by its own size."""
        size = self._size(self._speeds[0], self.a, self._rates[0], self.flat)
        of_state = self._size(self.a, self.a, self.flat, self.flat)
        return 0.01 * of_state / size if size > 0 else math.inf

    def attempt(self, h: float) -> float:
        """The error of a step, in units of the tolerance; `accept` takes it."""
        m, reach = self._count, h * DIAGONAL
        a = self.a
        for i in range(1, 6):
            stage = np.dot(np.multiply(EXPLICIT[i], h), self._rates[:i], out=self._stage)
            stage += self.flat
            s, r = self.split(stage)
            self.field.time = self.time + NODES[i] * h
            self.field.look(s, r)
            known = self.a + h * (np.array(IMPLICIT[i]) @ self._speeds[:i])
            a = self.field.settle(known, reach, a)
            self._speeds[i] = self.field.speed(a)
            self.field.turn(a, s, r, self._rates[i])
        off = np.dot(h * (WEIGHTS - EMBEDDED), self._rates, out=self._stage)
        flat = np.dot(h * WEIGHTS, self._rates, out=self._next)
        flat += self.flat
        self._next_a = a  # the last stage is the step
        # through the implicit solve once more: a stiff part of the estimate has died out in a
        a_off = h * ((WEIGHTS - EMBEDDED) @ self._speeds)
        a_off = self.field.relax(a_off, reach, np.zeros(len(a)))
        return max(
            self._part(a_off, self.a, a),
            self._part(off[:m], self.flat[:m], flat[:m]),
            self._part(off[m:], self.flat[m:], flat[m:]),
        )

    def accept(self, time: float) -> None:
        """Take the step that was attempted, and that ends at this time."""
        self.time = time
        self.a, self.flat, self._next = self._next_a, self._next, self.flat
        self.risk = self.start()

    def _part(self, off: Array, old: Array, new: Array) -> float:
        scale = np.maximum(np.abs(old), np.abs(new))
        scale *= self.rtol
        scale += self.atol
        np.divide(off, scale, out=scale)
        return math.sqrt(float(scale @ scale) / len(off))

    def _size(self, a: Array, a_scale: Array, flat: Array, flat_scale: Array) -> float:
        m = self._count
        return max(
            self._part(a, a_scale, a_scale),
            self._part(flat[:m], flat_scale[:m], flat_scale[:m]),
            self._part(flat[m:], flat_scale[m:], flat_scale[m:]),
        )


def solve_exact_overlaps(
    field: OverlapField,
    state: tuple[Array, Array, Array],
    times: Array,
    rtol: float,
    atol: float,
    max_steps: int,
) -> OverlapRun:
    """Follow the flow from time 0, and stop exactly at some times on the way.

    Args:
        field: the field.
        state: a (m,), s (m,) or (m, p), and r (m, m).
        times: increasing, ≥ 0, shape (k,).
        rtol: relative tolerance of a step, of each of a, s and r in the mean square.
        atol: absolute tolerance.
        max_steps: most accepted steps.

    Returns:
        The run.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _solve(_Stepper(field, *state, rtol, atol), times, max_steps)


def _solve(stepper: _Stepper, times: Array, max_steps: int) -> OverlapRun:
    field, t, h = stepper.field, 0.0, min(stepper.first_step(), float(times[-1]))
    snapshots: list[Snapshot] = []
    steps, risks = [0.0], [stepper.risk]

    def ended(status: Status) -> OverlapRun:
        return OverlapRun(snapshots, steps, risks, status, field.evaluations)

    for goal in times:
        while t < goal:
            if GIVE_UP.is_set():
                raise KeyboardInterrupt
            if len(steps) > max_steps:
                return ended(Status.MAX_STEPS)
            last = t + h * (1 + 1e-10) >= goal
            step = float(goal) - t if last else min(h, (float(goal) - t) / 2)
            error = stepper.attempt(step)
            if not math.isfinite(error):
                error = math.inf
            if error <= 1:
                t = float(goal) if last else t + step
                stepper.accept(t)
                steps.append(t)
                risks.append(stepper.risk)
            change = _SAFETY * error**-0.25 if error > 0 else _MOST
            proposed = step * min(_MOST, max(_LEAST, change))
            # a step cut short to meet a time says nothing against the longer one
            h = max(h, proposed) if error <= 1 and step < h else proposed
            if not math.isfinite(stepper.risk) or h <= _SMALLEST * max(t, float(times[-1])):
                return ended(Status.NON_FINITE)
        s, r = stepper.split(stepper.flat)
        # sums over the stages round the last entries in their own way: r is made symmetric again
        snapshots.append(Snapshot(t, stepper.risk, stepper.a.copy(), s.copy(), (r + r.T) / 2))
    return ended(Status.TIME_REACHED)
