"""A network cut into blocks of neurons that fit the cache, advanced by matrix products.

The state is the *displacement*: of the input weights themselves (BLAS form, W = W₀ + Cᵀ), or of
their coefficients on the samples (Gram form, W = W₀ + CᵀX, which gradient descent never leaves).
Pre-activations are Z = Z₀ + X C or Z₀ + XXᵀ C. Tiny displacements keep their relative precision,
also in float32, and nothing is allocated while a run goes.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from netphase._types import Array
from netphase.activations import LEAKY_SLOPE, Activation
from netphase.engine.kinks import active_shares, touched
from netphase.engine.problem import Problem
from netphase.networks import Parameters

BLOCK_BYTES = 256 * 1024
"""Size one (n, block) array aims at."""

Form = Literal["blas", "gram"]


class Evaluator:
    """Fills preallocated arrays with σ(z) and σ′(z).

    Args:
        activation: σ. ReLU's slope is kept as a mask of booleans.
        dtype: precision.
        width: most neurons in a block.

    Attributes:
        kinked: whether σ is linear but for a kink at 0.
        kink_height: how much σ′ rises there.
    """

    def __init__(self, activation: Activation, dtype: np.dtype[np.floating], width: int) -> None:
        self._activation = activation
        self._zeros = np.zeros(width, dtype=dtype)  # a row is faster than a scalar
        self._one = dtype.type(1.0)
        self._leak = dtype.type(LEAKY_SLOPE)
        self.slope_dtype = np.dtype(bool) if activation.name == "relu" else dtype
        self.kinked = activation.name in ("relu", "leaky_relu")
        self.kink_height = 1.0 if activation.name == "relu" else 1.0 - LEAKY_SLOPE

    def fill(self, z: Array, value: Array, slope: Array) -> None:
        """Writes σ(z) and σ′(z), all three of shape (n, block)."""
        name = self._activation.name
        zeros = self._zeros[: z.shape[1]]
        if name == "relu":
            np.greater(z, zeros, out=slope)
            np.maximum(z, zeros, out=value)
        elif name == "leaky_relu":
            np.multiply(z, self._leak, out=value)
            np.maximum(z, value, out=value)
            np.greater(z, zeros, out=slope)
            np.maximum(slope, self._leak, out=slope)
        elif name == "tanh":
            np.tanh(z, out=value)
            np.multiply(value, value, out=slope)
            np.subtract(self._one, slope, out=slope)
        else:
            value[...] = self._activation.value(z)
            slope[...] = self._activation.derivative(z)


class Block:
    """The neurons ``start`` to ``stop`` of a network: their state and their activations.

    Attributes:
        a: output weights, shape (block,); ``shift_a`` is their displacement.
        c: displacement of the input weights, shape (d, block), or coefficients, (n, block).
        value: σ(Z), shape (n, block).
        slope: σ′(Z), shape (n, block).
        z: room for Z, shape (n, block).
        start_z: Z at the accepted state, kept only to see kinks crossed (None otherwise).
        trial_c: room for a step that may be rejected (None where steps are final).
        trial_shift_a: the same for the output weights.
    """

    def __init__(
        self, blocks: Blocks, parameters: Parameters, start: int, stop: int, trial: bool
    ) -> None:
        x = blocks.problem.x
        dtype, n, size = x.dtype, x.shape[0], stop - start
        rows = blocks.basis.shape[1]
        self.start, self.stop = start, stop
        self.a0 = np.array(parameters.a[start:stop], dtype=dtype)
        self.z0 = np.matmul(x, np.asarray(parameters.w[start:stop], dtype=dtype).T)
        self.a = self.a0.copy()
        self.shift_a = np.zeros(size, dtype=dtype)
        self.c = np.zeros((rows, size), dtype=dtype)
        self.trial_c = np.empty_like(self.c) if trial else self.c
        self.trial_shift_a = np.empty_like(self.shift_a) if trial else self.shift_a
        self.start_z: Array | None = None
        if trial and blocks.evaluator.kinked:
            self.z, self.start_z = np.empty_like(self.z0), np.empty_like(self.z0)
            self.value, self.slope = (
                each[: n * size].reshape(n, size) for each in blocks.scratch_activations
            )
        else:
            self.z = blocks.scratch_z[: n * size].reshape(n, size)
            self.value = np.empty((n, size), dtype=dtype)
            self.slope = np.empty((n, size), dtype=blocks.evaluator.slope_dtype)
        self.push = blocks.scratch_c[: rows * size].reshape(rows, size)
        self.row = blocks.scratch_row[:size]


class Blocks:
    """A network in blocks, and the operations a full-batch method needs.

    Args:
        problem: the problem; its dtype is the precision.
        parameters: the start; not changed.
        form: "blas" or "gram".
        trial: keep room to reject a step.
        block_bytes: target size of one (n, block) array.

    Attributes:
        careful: resolve the kinks of a trial step to a finer tolerance, at a higher price.
    """

    def __init__(
        self,
        problem: Problem,
        parameters: Parameters,
        form: Form,
        *,
        trial: bool = False,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        x = problem.x
        n, m = x.shape[0], parameters.a.shape[0]
        dtype = x.dtype
        size = min(m, max(64, block_bytes // (n * dtype.itemsize) // 32 * 32))
        self.problem, self.form, self.trial = problem, form, trial
        self.careful = False
        self.start = parameters
        self.basis = self.gram if form == "gram" else x
        self.evaluator = Evaluator(problem.activation, dtype, size)
        self.scratch_z = np.empty(n * size, dtype=dtype)
        self.scratch_activations = (
            np.empty(n * size, dtype=dtype),
            np.empty(n * size, dtype=self.evaluator.slope_dtype),
        )
        self.scratch_c = np.empty(self.basis.shape[1] * size, dtype=dtype)
        self.scratch_row = np.empty(size, dtype=dtype)
        self.list = [Block(self, parameters, i, min(i + size, m), trial) for i in range(0, m, size)]
        self.output = np.zeros(n, dtype=np.float64)
        self._column = np.empty((n, 1), dtype=dtype)
        self._weights = np.empty(n, dtype=dtype)
        self.refresh()

    @cached_property
    def gram(self) -> Array:
        """XXᵀ, shape (n, n), made where it is needed: literal steps of many samples do without."""
        x = self.problem.x
        return np.asarray(np.matmul(x, x.T))

    def residual(self) -> Array:
        """Errors f − y in float64, shape (n,)."""
        return self.problem.output_scale * self.output - self.problem.y

    def refresh(self) -> None:
        """Recomputes activations and output from the accepted state."""
        self.output[:] = 0.0
        for block in self.list:
            self._forward(block, block.c)
            self.output += block.value @ block.a
            if block.start_z is not None:
                block.start_z[...] = block.z

    def step(self, residual: Array, rate: float) -> None:
        """One explicit Euler step of both layers, and the forward pass after it."""
        self._load(residual, rate)
        self.output[:] = 0.0
        for block in self.list:
            self._push(block)
            self._pull(block, 1.0, block.shift_a, block.shift_a)
            self._forward(block, block.c)
            self.output += block.value @ block.a

    def split_step(self, residual: Array, rate: float) -> None:
        """Half a step of a, a step of W, half a step of a, into the trial state.

        Second order at a fixed residual: for σ with kinks, which is linear between them, for little
        more than the price of `step`; otherwise with σ′ taken half a step of W on.
        """
        self._load(residual, rate)
        self.output[:] = 0.0
        for block in self.list:
            self._recall(block)
            self._pull(block, 0.5, block.shift_a, block.trial_shift_a)
            if not self.evaluator.kinked:
                self._push(block, 0.5)
                self._forward(block, block.trial_c)
            self._push(block)
            self._forward(block, block.trial_c)
            self._pull(block, 0.5, block.trial_shift_a, block.trial_shift_a)
            self.output += block.value @ block.a

    def accept(self) -> None:
        """Makes the trial state the state."""
        for block in self.list:
            block.c, block.trial_c = block.trial_c, block.c
            block.shift_a, block.trial_shift_a = block.trial_shift_a, block.shift_a
            if block.start_z is not None:
                block.z, block.start_z = block.start_z, block.z

    def reject(self) -> None:
        """Goes back to the state before the trial."""
        for block in self.list:
            np.add(block.a0, block.shift_a, out=block.a)
        self.refresh()

    def _load(self, residual: Array, rate: float) -> None:
        p = self.problem
        factor = rate * p.output_scale / p.x.shape[0]
        self._column[:, 0] = (factor * p.mobility_w) * residual
        self._weights[:] = (factor * p.mobility_a) * residual

    def _push(self, block: Block, part: float = 1.0) -> None:
        """Moves the input weights (trial_c = c − …) by ``part`` of a step, by the block's slope."""
        z, column = block.z, self._column
        np.multiply(block.slope, block.a, out=z)
        np.multiply(z, column if part == 1.0 else column.dtype.type(part) * column, out=z)
        if self.form == "gram":
            np.subtract(block.c, z, out=block.trial_c)
        else:
            np.matmul(self.problem.x.T, z, out=block.push)
            np.subtract(block.c, block.push, out=block.trial_c)

    def _pull(self, block: Block, part: float, shift: Array, out: Array) -> None:
        """Moves the output weights by ``part`` of a step."""
        np.matmul(self._weights, block.value, out=block.row)
        if part != 1.0:
            np.multiply(block.row, block.row.dtype.type(part), out=block.row)
        np.subtract(shift, block.row, out=out)
        np.add(block.a0, out, out=block.a)

    def _forward(self, block: Block, c: Array) -> None:
        np.matmul(self.basis, c, out=block.z)
        np.add(block.z, block.z0, out=block.z)
        if c is block.trial_c and block.start_z is not None:
            self._cross_kinks(block, block.start_z)
        self.evaluator.fill(block.z, block.value, block.slope)

    def _cross_kinks(self, block: Block, start: Array) -> None:
        """Corrects a trial step for the neurons that ended it on another side of a sample."""
        moved = touched(start, block.z)
        if len(moved) == 0:
            return
        before, height = start[:, moved], block.a.dtype.type(self.evaluator.kink_height)
        push = self._column * (height * block.a[moved])
        shares = active_shares(before, block.z[:, moved], push, self.gram, self.careful)
        change = (shares - (before > 0)) * push
        c = block.trial_c[:, moved] - (change if self.form == "gram" else self.problem.x.T @ change)
        block.trial_c[:, moved] = c
        block.z[:, moved] = np.matmul(self.basis, c) + block.z0[:, moved]

    def _recall(self, block: Block) -> None:
        """Makes value and slope those of the accepted state, where blocks share their room."""
        if block.start_z is not None:
            self.evaluator.fill(block.start_z, block.value, block.slope)

    def tangent_gram(self) -> Array:
        """G = (s²/n)(μ_a σσᵀ + μ_w XXᵀ ∘ (aσ′)(aσ′)ᵀ) in float64, shape (n, n): ė = −G e."""
        p = self.problem
        n = p.x.shape[0]
        outer = np.zeros((n, n))
        inner = np.zeros((n, n))
        for block in self.list:
            self._recall(block)
            outer += block.value @ block.value.T
            np.multiply(block.slope, block.a, out=block.z)
            inner += block.z @ block.z.T
        total = p.mobility_a * outer + p.mobility_w * (inner * self.gram)
        return np.asarray(p.output_scale**2 / n * total)

    def tangent_apply(self, vector: Array) -> Array:
        """G times a vector, shape (n,), without forming G."""
        p = self.problem
        total = np.zeros(len(vector))
        for block in self.list:
            self._recall(block)
            total += p.mobility_a * (block.value @ (vector @ block.value))
            np.multiply(block.slope, block.a, out=block.z)
            pushed = p.x @ (p.x.T @ (vector[:, None] * block.z))  # (n, block)
            total += p.mobility_w * np.einsum("ik,ik->i", block.z, pushed)
        return np.asarray(p.output_scale**2 / len(vector) * total)

    def growth_rate(self, residual: Array) -> float:
        """Fastest rate at which a neuron's own motion feeds back on itself at this residual.

        The Hessian's block of neuron k couples a_k to w_k by v_k = Σ_i e_i σ′(z_ik) x_i, and bends
        w_k along its motion by a_k Σ_i e_i σ″(z_ik) (x_i·v_k)²/|v_k|²; both times s/n and the
        mobilities, added.
        """
        p = self.problem
        fastest = 0.0
        for block in self.list:
            self._recall(block)
            weighted = residual[:, None] * block.slope
            if self.form == "gram":
                along = np.matmul(self.gram, weighted)
            else:
                along = np.matmul(p.x, p.x.T @ weighted)
            squares = np.maximum(np.einsum("ik,ik->k", weighted, along), 1e-290)
            rates = np.sqrt(squares * (p.mobility_a * p.mobility_w))
            if p.activation.smooth:
                z = np.matmul(self.basis, block.c) + block.z0
                bend = np.einsum(
                    "i,ik,ik->k", residual, p.activation.second_derivative(z), along**2
                )
                rates += p.mobility_w * np.abs(block.a * bend) / squares
            fastest = max(fastest, float(rates.max()))
        return float(abs(p.output_scale) / p.x.shape[0] * fastest)

    def changes(self, tracked: int) -> tuple[float, float]:
        """‖a − a₀‖ and ‖W − W₀‖ over the first ``tracked`` neurons; W is never formed."""
        square_a = square_w = 0.0
        for block in self.list:
            count = min(tracked, block.stop) - block.start
            if count <= 0:
                break
            c, shift = block.c[:, :count], block.shift_a[:count].astype(np.float64)
            square_a += float(shift @ shift)
            other = np.matmul(self.gram, c) if self.form == "gram" else c
            square_w += float(np.einsum("ik,ik->", c, other, dtype=np.float64))
        return square_a**0.5, max(square_w, 0.0) ** 0.5

    def parameters(self) -> Parameters:
        """The parameters at the accepted state, new arrays of shapes (m,) and (m, d)."""
        x = self.problem.x
        a = np.concatenate([block.a0 + block.shift_a for block in self.list])
        w = np.array(self.start.w, dtype=x.dtype)
        for block in self.list:
            shift = block.c.T @ x if self.form == "gram" else block.c.T
            w[block.start : block.stop] += shift
        return Parameters(a, w)

    def invariant_drift(self) -> float:
        """Σ|Δa²/μ_a − Δ|w|²/μ_w| over Σ(|Δa²|/μ_a + |Δ|w|²|/μ_w), for homogeneous σ only.

        Gradient flow keeps the first at zero; the value tells how finely a run was resolved.
        """
        p = self.problem
        drift = size = 0.0
        for block in self.list:
            if self.form == "gram":
                inner = np.einsum("ik,ik->k", block.c, block.z0)
                square = np.einsum("ik,ik->k", block.c, np.matmul(self.gram, block.c))
            else:
                w0 = np.asarray(self.start.w[block.start : block.stop], dtype=p.x.dtype)
                inner = np.einsum("ik,ki->k", block.c, w0)
                square = np.einsum("ik,ik->k", block.c, block.c)
            of_w = (2.0 * inner + square) / p.mobility_w
            of_a = block.shift_a * (2.0 * block.a0 + block.shift_a) / p.mobility_a
            drift += float(np.abs(of_a - of_w).sum())
            size += float(np.abs(of_a).sum() + np.abs(of_w).sum())
        return drift / size if size > 0.0 else 0.0
