"""ReLU's kinks inside a step: the share of the step that each neuron spends on a sample's far side.

An explicit step freezes σ′(z) at its start. That costs first order whenever a neuron crosses a
data point, and where the flow pushes a neuron onto a point from both sides (it then *slides*, and
the flow is the Filippov one) every explicit step overshoots and the loss rises. Here the share
λ ∈ [0, 1] of each crossing is found from where the neuron ends: crossed on the way (the linear
crossing time), or held exactly at z = 0 (the λ that ends there).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netphase._types import Array

MOST_ROUNDS, MOST_CAREFUL_ROUNDS = 8, 64
"""Most corrections of one neuron in a step; more than that is left to the next step."""

ENOUGH, CAREFULLY_ENOUGH = 1e-2, 1e-3
"""A correction of λ below this is none."""


def active_shares(
    start: Array, end: Array, push: Array, gram: Array, careful: bool = False
) -> Array:
    """The share of the step that each neuron spends active at each sample.

    The end of a step is linear in the shares, z⁺ = z_free − XXᵀ (p ∘ λ); λ is made consistent with
    it one sample a neuron at a time, the most wrong one first.

    Args:
        start: pre-activations before the step, shape (n, q).
        end: pre-activations after it, made with λ = [start > 0], shape (n, q).
        push: p, what a share of one subtracts from a neuron's coefficients, shape (n, q).
        gram: XXᵀ, shape (n, n).
        careful: correct up to the larger number of rounds, for neurons that slide along many kinks.

    Returns:
        λ, values in [0, 1], shape (n, q).
    """
    shares = (start > 0).astype(start.dtype)
    reach = gram.diagonal()[:, None] * push
    left = np.arange(start.shape[1])
    z: Array = end.copy()
    share: Array = shares.copy()
    s, g, p = start, reach, push
    rounds, enough = (MOST_CAREFUL_ROUNDS, CAREFULLY_ENOUGH) if careful else (MOST_ROUNDS, ENOUGH)
    for _ in range(rounds):
        change = _consistent(s, z, g, share) - share
        worst = np.abs(change).argmax(axis=0)
        columns = np.arange(len(left))
        step = change[worst, columns]
        keep = np.flatnonzero(np.abs(step) > enough)
        shares[:, left] = share
        if len(keep) == 0:
            break
        left, worst, step = left[keep], worst[keep], step[keep]
        z, s, g = z[:, keep], s[:, keep], g[:, keep]
        share, p = share[:, keep], p[:, keep]
        columns = np.arange(len(left))
        share[worst, columns] += step
        z -= gram[:, worst] * (p[worst, columns] * step)
    shares[:, left] = share
    return shares


def _consistent(start: Array, end: Array, reach: Array, share: Array) -> Array:
    """The share of each sample that agrees with where the step ends, the others' held fixed."""
    off = end + reach * share
    on = off - reach
    active = start > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.clip(np.nan_to_num(start / (start - end)), 0.0, 1.0)
        sliding = np.clip(np.nan_to_num(off / reach), 0.0, 1.0)
    ends_on, ends_off = (on > 0) & (off > 0), (on <= 0) & (off <= 0)
    result = np.where(active, np.ones_like(start), np.zeros_like(start))
    result = np.where(ends_on & ~active, 1.0 - crossing, result)
    result = np.where(ends_off & active, crossing, result)
    return np.where((off > 0) & (on <= 0), sliding, result).astype(start.dtype)


def touched(start: Array, end: Array) -> npt.NDArray[np.intp]:
    """The neurons (columns) that end a step on the other side of some sample."""
    moved: npt.NDArray[np.intp] = np.flatnonzero(((start > 0) != (end > 0)).any(axis=0))
    return moved
