"""Projected SGD in the compiled engine: one run as an object that keeps its memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array
from netphase.engine.sgd.problem import BLOCK, SgdProblem, compiled_curve
from netphase.seeds import Stream, generator


def normal_words(seed: int, stream: Stream) -> npt.NDArray[np.uint64]:
    """States of the eight generators of one stream of one seed, shape (4, 8)."""
    return generator(seed, stream).integers(0, 2**64, size=(4, BLOCK), dtype=np.uint64)


class CompiledRun:
    """`ReferenceRun`, the same steps on the same samples; calls leave Python's lock alone.

    Args:
        problem: what is run; both functions have a `compiled_curve`.
        a: output weights, shape (m,).
        w: rows of unit length, see `ReferenceRun`.
        seed: of the samples and of the label noise.
    """

    def __init__(self, problem: SgdProblem, a: Array, w: Array, seed: int) -> None:
        from netphase.engine import _core

        sigma, phi = compiled_curve(problem.activation), compiled_curve(problem.target)
        assert sigma is not None
        assert phi is not None
        self._run = _core.Sgd(
            np.ascontiguousarray(a, dtype=np.float64),
            np.ascontiguousarray(w, dtype=np.float64),
            normal_words(seed, Stream.DATA),
            normal_words(seed, Stream.NOISE),
            inputs=problem.inputs,
            batch=problem.batch,
            room=problem.room,
            rate_a=problem.rate_a,
            rate_w=problem.rate_w,
            noise=problem.noise,
            activation=sigma.code,
            scale=sigma.scale,
            shift=sigma.shift,
            activation_series=np.array(sigma.coefficients),
            target=phi.code,
            target_scale=phi.scale,
            target_shift=phi.shift,
            target_series=np.array(phi.coefficients),
        )

    def advance(self, steps: int) -> int:
        """Takes steps; fewer come back than were asked for where the run diverged."""
        return self._run.advance(steps)

    def state(self) -> tuple[Array, Array]:
        """Output weights (m,) and rows of unit length (m, columns)."""
        return self._run.state()
