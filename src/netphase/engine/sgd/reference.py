"""Projected SGD in NumPy, step by step as it is written: the definition of the compiled one."""

from __future__ import annotations

import numpy as np

from netphase._types import Array
from netphase.engine.history import GIVE_UP
from netphase.engine.sgd.compiled import normal_words
from netphase.engine.sgd.problem import BLOCK, SgdProblem
from netphase.seeds import Stream

LIMIT = 1e9
"""A run whose output weights grow beyond has diverged."""


class ReferenceRun:
    """One run, step by step.

    With e = y − f(x), z_i = u_i·x, means over the batch, and old values on the right,

        a_i ← a_i + (η/ε) e σ(z_i),   u_i ← normalise(u_i + η a_i e σ′(z_i) (x − z_i u_i)).

    In reduced coordinates the columns are those of a subspace that holds u*, the first of them,
    and all u_i. What a fresh sample has beyond is a chi variable of as many degrees of freedom as
    there are dimensions left, along a new direction; the next sample has a normal component along
    that one, and a chi variable along another. So nothing is left out, and d costs nothing.

    Args:
        problem: what is run.
        a: output weights, shape (m,).
        w: rows of unit length, the inputs with u* = e_1, shape (m, d); in reduced coordinates the
            rows in a basis that begins with u*, shape (m, m + 1).
        seed: of the samples and of the label noise.
    """

    def __init__(self, problem: SgdProblem, a: Array, w: Array, seed: int) -> None:
        from netphase.engine import _core

        self.problem, self.a, self.u = problem, a.copy(), w.copy()
        self._data = _core.Normals(normal_words(seed, Stream.DATA))
        self._labels = _core.Normals(normal_words(seed, Stream.NOISE))
        self._most = w.shape[1] + (max(problem.room, problem.drawn) if problem.room else 0)
        self._x, self._y = np.empty((0, w.shape[1])), np.empty(0)

    def advance(self, steps: int) -> int:
        """Takes steps; fewer come back than were asked for where the run diverged."""
        with np.errstate(over="ignore", invalid="ignore"):
            for done in range(steps):
                if GIVE_UP.is_set():
                    raise KeyboardInterrupt
                self._step(*self._samples())
                if not np.all(np.abs(self.a) < LIMIT):
                    return done
        return steps

    def state(self) -> tuple[Array, Array]:
        """Output weights (m,) and rows of unit length (m, columns)."""
        return self.a.copy(), self.u.copy()

    def _step(self, x: Array, y: Array) -> None:
        """One step on a batch, shapes (B, columns) and (B,)."""
        p, m = self.problem, len(self.a)
        z = x @ self.u.T  # (B, m)
        value = p.activation(z)
        e = y - value @ self.a / m
        push = p.rate_w * self.a * e[:, None] * p.activation.derivative(z) / p.batch  # (B, m)
        self.a = self.a + p.rate_a * (e @ value) / p.batch
        u = self.u + push.T @ x - np.sum(push * z, axis=0)[:, None] * self.u
        self.u = u / np.linalg.norm(u, axis=1)[:, None]

    def _samples(self) -> tuple[Array, Array]:
        """The next batch; what is left of a block that holds no whole batch is never used."""
        batch = self.problem.batch
        if len(self._y) < batch:
            if self.problem.room and self.u.shape[1] + self.problem.drawn > self._most:
                self._compress()
            blocks = [self._block() for _ in range(self.problem.drawn // BLOCK)]
            self._x = np.zeros((self.problem.drawn, self.u.shape[1]))
            for k, (x, _) in enumerate(blocks):
                self._x[k * BLOCK : (k + 1) * BLOCK, : x.shape[1]] = x
            self._y = np.concatenate([y for _, y in blocks])
        x, self._x = np.split(self._x, [batch])
        y, self._y = np.split(self._y, [batch])
        return x, y

    def _block(self) -> tuple[Array, Array]:
        """Eight samples (8, columns) and their labels (8,); new directions widen the rows."""
        columns = self.u.shape[1]
        rows = self._data.pairs((columns + 1) // 2)[:columns]
        if self.problem.room:
            outside = np.triu(self._data.pairs(BLOCK // 2), 1)
            degrees = self.problem.inputs - columns - np.arange(BLOCK)
            outside += np.diag(self._data.chi(degrees.astype(np.float64)))
            rows = np.concatenate([rows, outside])
            self.u = np.pad(self.u, ((0, 0), (0, BLOCK)))
        y = self.problem.target(rows[0])
        if self.problem.noise:
            y = y + self.problem.noise * self._labels.pairs(1)[0]
        return rows.T, y

    def _compress(self) -> None:
        """A basis of m + 1 columns that begins with u*: the LQ decomposition of the rest."""
        m = len(self.a)
        lower = np.linalg.qr(self.u[:, 1:].T).R.T
        self.u = np.concatenate([self.u[:, :1], lower[:, :m]], axis=1)
