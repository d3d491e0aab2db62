"""Projected one-pass SGD on a single-index target: compiled, and the NumPy twin that defines it."""

from netphase.engine.sgd.compiled import CompiledRun
from netphase.engine.sgd.problem import BLOCK, SgdProblem, compiled_curve
from netphase.engine.sgd.reference import ReferenceRun

__all__ = [
    "BLOCK",
    "CompiledRun",
    "ReferenceRun",
    "SgdProblem",
    "compiled_curve",
]
