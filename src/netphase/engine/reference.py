"""Descent in plain NumPy: the readable definition of what the compiled engine computes.

`descend` is literal gradient descent. `descend_auto` follows the gradient flow: in the n residuals
it is an exponential Adams–Bashforth method of second order, in each neuron a second-order step
with the averaged residual held fixed. Tests hold the compiled engine to both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from netphase._types import Array, Status
from netphase.engine.history import History, Judge, last_step
from netphase.engine.problem import Outcome, Problem, Stop
from netphase.engine.tangent import phi_1, phi_2
from netphase.networks import Parameters

SPECTRAL_SAMPLES = 16
"""Up to so many samples the tangent Gram matrix is formed at every step."""

MEMORY = 0.8
"""How much of the past errors of the two readings of the defect is remembered a step."""

MOST_SWEEPS, SETTLED = 32, 1e-9
"""Sweeps over the kinks of one neuron, and the change of a share at which they end."""

_Factor = Callable[[Array], Array]

LEAST_CAUTION = 1e-9
"""A step that has to be shortened so far is kept from lowering the loss by rounding."""


@dataclass
class Point:
    """A network at one moment of its training, with what the next step needs of it."""

    problem: Problem
    a: Array
    w: Array
    z: Array = field(init=False)
    residual: Array = field(init=False)

    def __post_init__(self) -> None:
        p = self.problem
        self.z = self.w @ p.x.T  # (m, n)
        outputs = (self.a[:, None] * p.activation.value(self.z)).sum(0, dtype=np.float64)
        self.residual = p.output_scale * outputs - p.y

    @property
    def square(self) -> float:
        """Σ e²."""
        return float(self.residual @ self.residual)

    def gram(self) -> Array:
        """Tangent Gram matrix G of e′ = −G e, shape (n, n)."""
        p = self.problem
        values = p.activation.value(self.z)
        slopes = self.a[:, None] * p.activation.derivative(self.z)
        sums = p.mobility_a * values.T @ values
        sums = sums + p.mobility_w * (slopes.T @ slopes) * (p.x @ p.x.T)
        return np.asarray(p.output_scale**2 / len(p.y) * sums, dtype=np.float64)

    def growth_rate(self) -> float:
        """Fastest relative growth of any neuron, (s/n) Σ |e_i| |x_i| √(mobility_a mobility_w)."""
        p = self.problem
        push = np.abs(self.residual) @ np.linalg.norm(p.x, axis=1)
        return float(p.output_scale / len(p.y) * push * math.sqrt(p.mobility_a * p.mobility_w))


def euler_step(point: Point, mean: Array, h: float) -> Point:
    """One gradient step of length h with residual ``mean``, shape (n,)."""
    p = point.problem
    rate = h * p.output_scale / len(p.y)
    pull = (p.activation.derivative(point.z) * mean) @ p.x  # (m, d): v = Σ ē σ' x
    dot = p.activation.value(point.z) @ mean  # Σ ē σ
    a = point.a - rate * p.mobility_a * dot
    w = point.w - rate * p.mobility_w * point.a[:, None] * pull
    return Point(p, a.astype(point.a.dtype), w.astype(point.w.dtype))


def taylor_step(point: Point, mean: Array, h: float) -> Point:
    """Second-order Taylor step of every neuron at fixed ``mean`` (smooth activations)."""
    p = point.problem
    rate = h * p.output_scale / len(p.y)
    ca, cw = -rate * p.mobility_a, -rate * p.mobility_w
    pull = (p.activation.derivative(point.z) * mean) @ p.x
    da = ca * (p.activation.value(point.z) @ mean)
    dw = cw * point.a[:, None] * pull
    along = dw @ p.x.T
    bend = (p.activation.second_derivative(point.z) * along * mean) @ p.x
    a = point.a + da + 0.5 * ca * (pull * dw).sum(1)
    w = point.w + dw + 0.5 * cw * (da[:, None] * pull + point.a[:, None] * bend)
    return Point(p, a.astype(point.a.dtype), w.astype(point.w.dtype))


def secant_step(point: Point, mean: Array, h: float) -> Point:
    """Second-order step of homogeneous activations, exact about kinks to second order.

    With the slopes held, a′ ∝ v·w and w′ ∝ a v; two corrections of the midpoint rule keep the
    invariant. A neuron that crosses the kink of a sample sees its secant slope; one that would
    turn back across the same kink ends its step on it (Filippov's sliding solution). Neurons that
    meet several kinks in one step are left to `share_kinks`.
    """
    p, w = point.problem, point.w
    rate = h * p.output_scale / len(p.y)
    ca, cw = -rate * p.mobility_a, -rate * p.mobility_w
    slope = p.activation.derivative(point.z)
    pull = (slope * mean) @ p.x
    dot, norm = (pull * w).sum(1), (pull * pull).sum(1)
    da = ca * dot
    gain = cw * (point.a + 0.5 * da)  # δw = gain v
    for _ in range(2):
        da = ca * (dot + 0.5 * gain * norm)
        gain = cw * (point.a + 0.5 * da)
    dw = gain[:, None] * pull

    tried = point.z + dw @ p.x.T
    crossed = (point.z > 0) != (tried > 0)
    hit = np.flatnonzero(crossed.any(1))
    if hit.size:
        z, z1, crossed, slope = point.z[hit], tried[hit], crossed[hit], slope[hit]
        before, after = p.activation.value(z), p.activation.value(z1)
        secant = np.where(crossed, (after - before) / np.where(crossed, z1 - z, 1), slope)
        pull = (secant * mean) @ p.x
        da_hit = 0.5 * ca * ((before + after) @ mean)
        gain_hit = (cw * (point.a[hit] + 0.5 * da_hit))[:, None]
        turned = z + (gain_hit * pull) @ p.x.T
        slides = crossed & ((z1 > 0) != (turned > 0))
        share = z1 / np.where(slides, z1 - turned, 1)
        final = secant + np.where(slides, (secant - slope) * (share - 1), 0)
        dw[hit] = gain_hit * ((final * mean) @ p.x)
        end = (w[hit] + dw[hit]) @ p.x.T
        da[hit] = 0.5 * ca * ((before + p.activation.value(end)) @ mean)
        late = ~crossed & ((z > 0) != (end > 0))
        for k in hit[(crossed.sum(1) > 1) | late.any(1)]:
            da[k], dw[k] = share_kinks(point, mean, h, int(k), float(da[k]))
    a = point.a + da
    return Point(p, a.astype(point.a.dtype), (w + dw).astype(w.dtype))


def share_kinks(point: Point, mean: Array, h: float, k: int, da: float) -> tuple[float, Array]:
    """The step of one neuron that meets several kinks.

    The share of a sample is the part of the step that the neuron spends on its upper side: the
    crossing time where it ends on one side whatever its share, the share that ends the step on the
    kink where its own push would turn it back. The end of the step is linear in the shares, which
    are made consistent with it by a projected Gauss–Seidel iteration.

    Args:
        point: the network.
        mean: averaged residual, shape (n,).
        h: length of the step.
        k: index of the neuron.
        da: first estimate of δa.

    Returns:
        δa and δw, the latter of shape (d,).
    """
    p, z0 = point.problem, point.z[k]
    rate = h * p.output_scale / len(p.y)
    low = float(p.activation.derivative(np.array([-1.0]))[0])
    rise, norms = 1.0 - low, (p.x * p.x).sum(1)
    share, dw = (z0 > 0).astype(np.float64), np.zeros(p.x.shape[1])
    for _ in range(2):  # the second round with a corrected δa
        push = -rate * p.mobility_w * (point.a[k] + 0.5 * da) * mean
        dw = ((low + rise * share) * push) @ p.x
        for _ in range(MOST_SWEEPS):
            last = share.copy()
            for i, x in enumerate(p.x):
                z, reach = (point.w[k] + dw) @ x, push[i] * rise * norms[i]
                off, on = z - reach * share[i], z - reach * share[i] + reach
                new = share[i]
                if off > 0 >= on:
                    new = off / (off - on)
                elif (off > 0) == (on > 0) != (z0[i] > 0):
                    time = z0[i] / (z0[i] - z)
                    new = time if z0[i] > 0 else 1.0 - time
                else:
                    new = float(z0[i] > 0)
                new = min(1.0, max(0.0, new))
                dw = dw + push[i] * rise * (new - share[i]) * x
                share[i] = new
            if np.max(np.abs(share - last)) <= SETTLED:
                break
        end = p.activation.value(p.x @ (point.w[k] + dw))
        da = float(-0.5 * rate * p.mobility_a * ((p.activation.value(z0) + end) @ mean))
    return da, dw


class ResidualAverage:
    """The mean residual of a step from e′ = −Ĝ e + d, with Ĝ frozen and the defect d learnt.

    ē = φ₁(hĜ) e + h φ₂(hĜ) d; without a matrix, the two-step Adams–Bashforth average. The defect
    is the last step's as it was seen then (right where Ĝ grows smoothly), or seen with the present
    Ĝ (right where neurons slide along a kink, which switches their part of Ĝ on and off):
    whichever has foretold better of late.

    Args:
        n: number of samples.
    """

    def __init__(self, n: int) -> None:
        self.values, self.vectors = np.zeros(n), np.eye(n)
        self.known = False
        none: Array = np.zeros(n)
        self._slope = self._mean = self._defect = none
        self._then = self._now = self._forced = none
        self._missed_then = self._missed_now = 0.0

    def freeze(self, gram: Array) -> None:
        """Takes Ĝ, shape (n, n)."""
        values, self.vectors = np.linalg.eigh(gram)
        self.values = np.maximum(values, 0.0)

    def start(self) -> None:
        """Chooses the reading of the defect, once Ĝ is known."""
        self._then = self._defect if self.known else np.zeros_like(self._defect)
        self._now = self._slope + self._apply(self._mean) if self.known else self._then
        self._forced = self._now if self._missed_now < self._missed_then else self._then

    def average(self, residual: Array, h: float) -> Array:
        """ē over a step of length h, shape (n,)."""
        return self._solution(residual, h, phi_1, phi_2)

    def predict(self, residual: Array, h: float) -> Array:
        """The residual expected after the step, shape (n,)."""
        return self._solution(residual, h, lambda q: np.exp(-q), phi_1)

    def land(self, residual: Array, h: float, square: float) -> float:
        """Longest step up to h after which Σ e² is expected to be at least ``square``."""

        def expected(step: float) -> float:
            after = self.predict(residual, step)
            return float(after @ after)

        if not expected(h) < square:
            return h
        low, high = 0.0, h
        for _ in range(50):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if expected(middle) < square else (middle, high)
        return high

    def learn(self, before: Array, mean: Array, after: Array, h: float) -> None:
        """Notes the mean of e′ + Ĝ e over the step just made, and how well it was foretold."""
        self._slope, self._mean = (after - before) / h, mean
        self._defect = self._slope + self._apply(mean)
        if self.known:
            gap_then, gap_now = self._then - self._defect, self._now - self._defect
            self._missed_then = MEMORY * self._missed_then + h * float(np.linalg.norm(gap_then))
            self._missed_now = MEMORY * self._missed_now + h * float(np.linalg.norm(gap_now))
        self.known = True

    def _apply(self, vector: Array) -> Array:
        return np.asarray(self.vectors @ (self.values * (self.vectors.T @ vector)))

    def _solution(self, residual: Array, h: float, free: _Factor, forced: _Factor) -> Array:
        q = h * self.values
        modes = free(q) * (self.vectors.T @ residual)
        modes = modes + h * forced(q) * (self.vectors.T @ self._forced)
        return np.asarray(self.vectors @ modes)


def descend(
    problem: Problem, parameters: Parameters, *, learning_rate: float, stop: Stop, tracked: int
) -> Outcome:
    """Full-batch gradient descent with a fixed step; see `netphase.engine.descend`."""
    run = _Run(Point(problem, *parameters), stop, tracked)
    while (status := run.verdict()) is None:
        h, _ = last_step(learning_rate, run.time, stop)
        run.accept(euler_step(run.point, run.point.residual, h), h)
    return run.outcome(status)


def descend_auto(
    problem: Problem,
    parameters: Parameters,
    *,
    accuracy: float,
    stability: float,
    rotation: float,
    stop: Stop,
    tracked: int,
) -> Outcome:
    """Automatic descent by its bounds (see `netphase.engine.descent.bounds`), up to 16 samples.

    The compiled engine also tightens the bounds where the invariant drifts and, beyond 16 samples,
    bounds λ_max by power iteration; this definition does neither.
    """
    run = _Run(Point(problem, *parameters), stop, tracked)
    n = len(problem.y)
    model = ResidualAverage(n)
    advance = secant_step if problem.activation.homogeneous else taylor_step
    h, stretch, caution = 0.0, 1.0, 1.0
    while (status := run.verdict()) is None:
        point = run.point
        model.freeze(point.gram())
        longest = rotation / point.growth_rate()
        safe = min(stability / float(model.values.max()), longest)
        model.start()
        h = min(max(h * stretch, safe), longest)
        h = model.land(point.residual, h, 0.999 * stop.mean_square * n)
        while True:
            step = min(caution * h, stop.time - run.time)
            mean = model.average(point.residual, step)
            after = advance(point, mean, step)
            surprise = after.residual - model.predict(point.residual, step)
            ratio = float(np.linalg.norm(surprise)) / math.sqrt(point.square) / accuracy
            rose = not after.square <= point.square + _slack(point)  # NaN counts as a rise
            if not rose and not (ratio > 4 and step > 1.01 * safe):
                break
            run.rejected += 1
            if rose:
                caution *= 0.5
                model.known = False
                model.start()
            else:
                h = max(0.5 * h, safe)
            if caution < LEAST_CAUTION:
                return run.outcome(Status.STAGNATED)
        model.learn(point.residual, mean, after.residual, step)
        stretch = min(2.0, max(0.5, 0.9 / math.sqrt(max(ratio, 1e-12))))
        run.accept(after, step)
        caution = min(1.0, 1.1 * caution)
    return run.outcome(status)


def _slack(point: Point) -> float:
    """By how much rounding alone may raise Σ e²."""
    targets = float(point.problem.y @ point.problem.y)
    eps = float(np.finfo(point.a.dtype).eps)
    return 64.0 * eps * math.sqrt(point.square * (targets + point.square))


class _Run:
    """Clock, counters, records and the end of a run."""

    def __init__(self, point: Point, stop: Stop, tracked: int) -> None:
        self.start = self.point = point
        self.stop, self.tracked = stop, tracked
        self.time, self.steps, self.rejected = 0.0, 0, 0
        self._history, self._judge = History(), Judge(stop, point.square / len(point.residual))
        self._note()

    def verdict(self) -> Status | None:
        return self._judge.verdict(self.time, self.steps, self._mean_square())

    def accept(self, point: Point, h: float) -> None:
        self.point = point
        self.time += h
        self.steps += 1
        if self._history.due(self.steps):
            self._note()

    def outcome(self, status: Status) -> Outcome:
        self._note()
        return Outcome(
            parameters=Parameters(self.point.a, self.point.w),
            status=status,
            time=self.time,
            steps=self.steps,
            rejected=self.rejected,
            gradients=self.steps + self.rejected + 1,
            solves=0,
            mean_square=self._mean_square(),
            records=self._history.records(),
        )

    def _mean_square(self) -> float:
        return self.point.square / len(self.point.residual)

    def _note(self) -> None:
        k = slice(0, self.tracked)
        change_a = float(np.linalg.norm(self.point.a[k] - self.start.a[k]))
        change_w = float(np.linalg.norm(self.point.w[k] - self.start.w[k]))
        self._history.note(self.time, self.steps, self._mean_square(), change_a, change_w)
