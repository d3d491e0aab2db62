"""Projected one-pass stochastic gradient descent of two-layer networks on single-index targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netphase._checks import (
    finite_array,
    machine_memory,
    non_negative_float,
    one_of,
    positive_float,
    positive_int,
)
from netphase._types import Array, Status
from netphase.activations import Activation
from netphase.dynamics.exact_overlaps import ExactOverlaps
from netphase.dynamics.output_law import OutputAtoms
from netphase.dynamics.sgd_ensemble import SGDEnsemble
from netphase.dynamics.trajectory import check_times
from netphase.engine.exact_overlaps import OverlapField
from netphase.engine.sgd import BLOCK, CompiledRun, ReferenceRun, SgdProblem, compiled_curve
from netphase.engine.threads import cores, run_threads
from netphase.errors import ArgumentError
from netphase.hermite import HermiteSeries, expand
from netphase.seeds import Stream, generator

METHODS = ("auto", "explicit", "reduced")
"""How the weights are kept: see `ProjectedSGD.run`."""

_SECOND_LAYER, _FIRST_LAYER = 0.1, 0.5
"""Sizes of a step, of each layer, from which on its noise is worth a note."""

_MOST_STEPS = 2**53


@dataclass(frozen=True, init=False, eq=False)
class ProjectedSGD:
    """One-pass SGD whose input weights stay on the unit sphere, fresh Gaussian samples each step.

    The network is f(x) = (1/m) Σ a_i σ(u_i·x) with |u_i| = 1, a sample x ~ N(0, I_d),
    y = φ(u*·x) + τ N(0, 1). With e = y − f(x), z_i = u_i·x, and means over the B samples of a step,

        a_i ← a_i + (η/ε) e σ(z_i),   u_i ← normalise(u_i + η a_i e σ′(z_i) (x − z_i u_i)),

    both from the old values. Time is t = step · η. As η → 0 at fixed d the risk follows
    `ExactOverlaps`, with fluctuations ∝ √(ηd/B); n = t B/η samples are seen by the time t.

    Attributes:
        activation: σ: a name, an `Activation`, Hermite coefficients, or a `HermiteSeries`.
        target: φ, likewise.
        epsilon: ε > 0; small for a fast second layer, infinite for one that stands still.
        rate: η > 0.
        inputs: d ≥ 1.
        batch: B ≥ 1.
        noise: τ ≥ 0, standard deviation of the label noise.

    Raises:
        ArgumentError: an attribute is out of its range.

    References:
        Berthier, Montanari & Zhou (2024), projected stochastic gradient descent.

    Example:
        >>> from netphase import hermite
        >>> sgd = ProjectedSGD(hermite.relu(0.5), [1, -1, 2 / 3], 0.2, rate=1e-3, inputs=40)
        >>> found = sgd.run(30, [0.0, 2.0], seeds=range(4))
        >>> found.risk.shape, bool(np.all(found.risk[:, 1] < found.risk[:, 0] / 4))
        ((4, 2), True)
    """

    activation: HermiteSeries
    target: HermiteSeries
    epsilon: float
    rate: float
    inputs: int
    batch: int
    noise: float

    def __init__(
        self,
        activation: str | Activation | Sequence[float] | HermiteSeries,
        target: str | Activation | Sequence[float] | HermiteSeries,
        epsilon: float = 1.0,
        *,
        rate: float,
        inputs: int,
        batch: int = 1,
        noise: float = 0.0,
    ) -> None:
        values = {
            "activation": expand(activation),
            "target": expand(target),
            "epsilon": math.inf if epsilon == math.inf else positive_float("epsilon", epsilon),
            "rate": positive_float("rate", rate),
            "inputs": positive_int("inputs", inputs),
            "batch": positive_int("batch", batch),
            "noise": non_negative_float("noise", noise),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def run(
        self,
        width: int,
        times: Sequence[float] | Array,
        *,
        outputs: str | Sequence[float] | Array | OutputAtoms = "gaussian",
        stratified: bool = False,
        seeds: Sequence[int] = (0,),
        method: str = "auto",
        jobs: int | None = None,
    ) -> SGDEnsemble:
        """Train networks, one a seed; each starts where `ExactOverlaps.initial` does.

        "explicit" keeps the (m, d) input weights: 2md operations a sample. "reduced" draws what
        matters of a sample only, its components in the space of u* and all u_i and its length
        outside of it: the same law whatever d, at the cost of about 5 m² operations a sample,
        for d ≥ 2m + 10 and more for large batches. "auto" takes the faster one. The numbers of a
        seed differ between the two, but not with the number of threads or the times.

        Args:
            width: m ≥ 1.
            times: where states are kept, increasing, ≥ 0; each goes to the nearest step.
            outputs: P_A, see `ExactOverlaps.initial`.
            stratified: take the quantiles of P_A for a_i instead of drawing.
            seeds: of the starts and the samples, all different.
            method: one of `METHODS`.
            jobs: threads; one a core, or a seed, by default.

        Returns:
            The runs.

        Raises:
            ArgumentError: an argument is out of its range, "reduced" is asked for where d is too
                small, or the result does not fit into memory.
        """
        m, wanted = positive_int("width", width), check_times(finite_array("times", times, 1))
        steps = self._steps(wanted.astype(np.float64))
        known = _checked_seeds(seeds)
        threads = min(len(known), cores() if jobs is None else positive_int("jobs", jobs))
        chosen = self._method(one_of("method", method, METHODS), m)
        self._check_memory(m, len(steps), len(known), threads)
        exact = ExactOverlaps(self.activation, self.target, self.epsilon)
        run = partial(self._one, m, steps, outputs, stratified, chosen, exact)
        if threads == 1:
            runs = [run(seed) for seed in known]
        else:
            with run_threads(threads) as pool:
                runs = list(pool.map(run, known))
        a = np.array([each.a for each in runs])
        return SGDEnsemble(
            times=steps * self.rate,
            steps=steps,
            risk=np.array([each.risk for each in runs]),
            a=a,
            s=np.array([each.s for each in runs]),
            r=np.array([each.r for each in runs]),
            seeds=known,
            status=tuple(each.status for each in runs),
            method=chosen,
            compiled=self._compiled,
            notes=self._notes(a),
        )

    @property
    def _compiled(self) -> bool:
        return None not in (compiled_curve(self.activation), compiled_curve(self.target))

    def _steps(self, times: Array) -> npt.NDArray[np.int64]:
        steps = np.rint(times / self.rate)
        if steps[-1] > _MOST_STEPS:
            raise ArgumentError(
                f"Argument `rate` must not be so small that the last time takes more than 2^53 "
                f"steps, but {times[-1]:g}/{self.rate:g} does."
            )
        return np.asarray(steps, dtype=np.int64)

    def _room(self, m: int) -> int:
        """New directions between two compressions: as many as neurons, whole blocks."""
        return -(-m // BLOCK) * BLOCK

    def _method(self, method: str, m: int) -> str:
        drawn = -(-self.batch // BLOCK) * BLOCK
        least = m + max(self._room(m), drawn) + 2
        if method == "reduced" and self.inputs < least:
            raise ArgumentError(
                f'Argument `method` can be "reduced" from d = {least} on for {m} neurons and '
                f'{self.batch} samples a step, but d is {self.inputs}. Take "explicit".'
            )
        if method != "auto":
            return method
        # measured: reduced coordinates cost as much as some 4m inputs, and a large batch adds to it
        return "reduced" if self.inputs >= 4 * (m + 1) + drawn else "explicit"

    def _check_memory(self, m: int, rows: int, seeds: int, threads: int) -> None:
        needed = 8.0 * (
            seeds * (2 * m * rows + m * m) + threads * (3 * m * self.inputs + 6 * m * m)
        )
        available = machine_memory()
        if needed > 0.8 * available:
            raise ArgumentError(
                f"Arguments `width`, `times` and `seeds` must leave the runs room in memory, but "
                f"they take {needed / 1e9:.1f} GB of {available / 1e9:.1f} GB. Keep fewer times, "
                "run fewer seeds at once, or use fewer `jobs`."
            )

    def _one(
        self,
        m: int,
        steps: npt.NDArray[np.int64],
        outputs: Any,
        stratified: bool,
        method: str,
        exact: ExactOverlaps,
        seed: int,
    ) -> _Run:
        a = exact.initial(m, math.inf, outputs, seed, stratified).a
        u = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((m, self.inputs))
        u /= np.linalg.norm(u, axis=1)[:, None]
        reduced = method == "reduced"
        problem = SgdProblem(
            self.activation,
            self.target,
            self.inputs,
            rate_a=self.rate / self.epsilon,
            rate_w=self.rate,
            batch=self.batch,
            noise=self.noise,
            room=self._room(m) if reduced else 0,
        )
        kind = CompiledRun if self._compiled else ReferenceRun
        walk = kind(problem, a, _coordinates(u) if reduced else u, seed)
        return _follow(walk, steps, OverlapField(m, self.activation, self.target, self.epsilon))

    def _notes(self, a: Array) -> tuple[str, ...]:
        """What to know of the size of the steps, from all output weights that were seen."""
        found = []
        if not self._compiled:
            found.append(
                "The engine does not know these functions, so that this ran in NumPy, far slower: "
                "give Hermite coefficients, or names, for compiled runs."
            )
        second = self.rate / self.epsilon * self.activation.square
        if second > _SECOND_LAYER:
            found.append(
                f"The step of the output weights, (η/ε)‖σ‖² = {second:.2g}, is above "
                f"{_SECOND_LAYER:g}: it adds noise of its own, and above 2 it cannot be stable. "
                "Lower `rate`, or raise `epsilon`."
            )
        slope = float(self.activation.kernel_slope(np.ones(1))[0])
        squares = np.mean(a * a, axis=2)
        largest = float(np.max(squares, where=np.isfinite(squares), initial=0.0))
        first = self.rate * self.inputs * largest * slope / self.batch
        if first > _FIRST_LAYER:
            found.append(
                f"The step of the input weights, ηd⟨a²⟩E σ′²/B, comes to {first:.2g}, above "
                f"{_FIRST_LAYER:g}: the noise of the samples turns the neurons about as much as "
                "the gradient does. Lower `rate`, raise `batch`, or compare with the flow that has "
                "this noise."
            )
        return tuple(found)


class _Run(NamedTuple):
    risk: Array  # (k,)
    a: Array  # (k, m)
    s: Array  # (k, m)
    r: Array  # (m, m)
    status: Status


def _follow(
    walk: CompiledRun | ReferenceRun, steps: npt.NDArray[np.int64], field: OverlapField
) -> _Run:
    rows, m = len(steps), field.width
    risk, a, s = np.full(rows, np.nan), np.full((rows, m), np.nan), np.full((rows, m), np.nan)
    r, before = np.full((m, m), np.nan), 0
    for row, step in enumerate(steps):
        count = int(step) - before
        if walk.advance(count) < count:
            return _Run(risk, a, s, np.full((m, m), np.nan), Status.DIVERGED)
        before = int(step)
        a[row], u = walk.state()
        s[row] = np.clip(u[:, 0], -1.0, 1.0)
        r = np.clip(u @ u.T, -1.0, 1.0)
        np.fill_diagonal(r, 1.0)
        field.look(s[row], r)
        risk[row] = field.risk(a[row])
    return _Run(risk, a, s, r, Status.TIME_REACHED)


def _coordinates(u: Array) -> Array:
    """Rows in a basis of m + 1 directions that begins with the first axis, shape (m, m + 1)."""
    return np.concatenate([u[:, :1], np.linalg.qr(u[:, 1:].T).R.T], axis=1)


def _checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    try:
        known = tuple(seeds)
    except TypeError:
        raise ArgumentError(
            f"Argument `seeds` must be a list of integers, but is {seeds!r}."
        ) from None
    if not known or len(set(known)) < len(known):
        raise ArgumentError(
            f"Argument `seeds` must be a list of different integers, but is {list(known)!r}."
        )
    for seed in known:
        generator(seed, Stream.DATA)
    return tuple(int(seed) for seed in known)
