"""How far kernels have moved, in size and in direction, and how far they point at the labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netphase._checks import finite_array, instance_of
from netphase._types import Array
from netphase.errors import ArgumentError
from netphase.kernels import TangentKernels


class KernelChange(NamedTuple):
    """Changes of kernels, each of the shape (…) of the stack.

    Attributes:
        relative: ‖K(t) − K(0)‖_F/‖K(0)‖_F ≥ 0.
        distance: 1 − ⟨K(t), K(0)⟩/(‖K(t)‖_F ‖K(0)‖_F), in [0, 1] for positive kernels: zero where a
            kernel has only grown, by whatever factor.
    """

    relative: Array
    distance: Array


def kernel_change(before: Array | TangentKernels, after: Array | TangentKernels) -> KernelChange:
    """How far kernels on the same samples are from one another.

    Args:
        before: K(0): the total of `TangentKernels`, or one kernel or a stack, shape (…, n, p).
        after: K(t), the same shape; it need not be finite.

    Returns:
        The changes, float64, without loss of digits where they are small; NaN where ``after`` is
        not finite or a norm is zero.

    Raises:
        ArgumentError: shapes differ, or ``before`` is empty or not finite.

    References:
        Fort et al. (NeurIPS 2020), the kernel distance; Li, Luo & Zhou (2024), kernels that stay.

    Example:
        >>> change = kernel_change(np.eye(2), np.diag([2.0, 2.0]))
        >>> float(change.relative), round(float(change.distance), 12)
        (1.0, 0.0)
    """
    first, last = checked_kernels("before", before), checked_kernels("after", after, finite=False)
    if first.shape != last.shape:
        raise ArgumentError(
            f"Arguments `before` and `after` must have equal shapes, but have {first.shape} and "
            f"{last.shape}."
        )
    return compared(first, last)


def kernel_alignment(kernel: Array | TangentKernels, y: Array, centred: bool = False) -> Array:
    """A = yᵀΘy/(‖Θ‖_F |y|²), how far a kernel points at the labels.

    It is 1 for Θ = y yᵀ and about 1/√n for kernels that know nothing of the labels.

    Args:
        kernel: Θ: the total of `TangentKernels`, or one kernel or a stack, shape (…, n, n). With k
            outputs it may also be of samples and outputs, (…, nk, nk), rows i·k + j.
        y: targets, shape (n,) or (n, k). A kernel of samples alone is compared with the labels'
            own, A = ⟨Θ, Y Yᵀ⟩/(‖Θ‖_F ‖Y Yᵀ‖_F); one of samples and outputs with their vector.
        centred: take the mean over the samples off the kernel's features and the labels before.

    Returns:
        A in [0, 1] for positive kernels, float64, shape (…); NaN where a kernel is zero or not
        finite.

    Raises:
        ArgumentError: shapes do not fit, or the labels are zero or, centred, all alike.

    References:
        Cristianini et al. (2001); Cortes, Mohri & Rostamizadeh (JMLR 2012) for the centred one.

    Example:
        >>> y = np.array([1.0, -1.0])
        >>> kernels = np.stack([np.outer(y, y), np.eye(2)])
        >>> kernel_alignment(kernels, y).round(4).tolist()
        [1.0, 0.7071]
    """
    values = checked_kernels("kernel", kernel, finite=False)
    labels = np.asarray(finite_array("y", y, min(max(np.ndim(y), 1), 2)), dtype=np.float64)
    labels = labels.reshape(len(labels), -1)
    samples, outputs = labels.shape
    if values.shape[-2:] not in ((samples,) * 2, (samples * outputs,) * 2):
        raise ArgumentError(
            f"Argument `kernel` must be {samples} × {samples}, as `y` has {samples} rows, or have "
            f"a row for each of its numbers, but has the shape {values.shape}."
        )
    if centred:
        labels = labels - labels.mean(axis=0)
        values = centred_kernels(values, samples)
    largest = np.abs(labels).max()
    if not largest > 1e-14 * np.abs(y).max(initial=0.0):
        raise ArgumentError(
            "Argument `y` must not be zero, or, where it is centred, the same for all samples."
        )
    labels = labels / largest
    if values.shape[-1] != samples:
        labels = labels.reshape(-1, 1)
    with np.errstate(all="ignore"):
        values = values / np.abs(values).max(axis=(-2, -1), keepdims=True)
        along = (labels * (values @ labels)).sum(axis=(-2, -1))
        return np.asarray(along / (frobenius(values) * np.linalg.norm(labels.T @ labels)))


def checked_kernels(name: str, kernel: Array | TangentKernels, finite: bool = True) -> Array:
    """One kernel or a stack in float64, or an `ArgumentError`; see `kernel_change`."""
    given = kernel.total if isinstance(kernel, TangentKernels) else kernel
    instance_of(name, given, np.ndarray, "TangentKernels or an array")
    if given.ndim < 2:
        raise ArgumentError(
            f"Argument `{name}` must have the shape (…, n, n), but has {given.shape}."
        )
    tested = given if finite else np.nan_to_num(given)
    finite_array(name, tested, given.ndim)
    return np.asarray(given, dtype=np.float64)


def compared(first: Array, last: Array) -> KernelChange:
    """The changes from one stack to another, which may hold anything."""
    with np.errstate(all="ignore"):
        # in units of the largest entry, the squares neither overflow nor vanish
        unit = np.abs(first).max(axis=(-2, -1), keepdims=True)
        last = np.where(np.isfinite(last), last, np.nan)
        first, last = first / unit, last / unit
        size, end = frobenius(first), frobenius(last)
        turned = last / end[..., None, None] - first / size[..., None, None]
        relative = frobenius(last - first) / size
        return KernelChange(np.asarray(relative), np.asarray(frobenius(turned) ** 2 / 2))


def centred_kernels(kernels: Array, samples: int) -> Array:
    """H K H with H = I − 11ᵀ/n over the samples, whose outputs lie side by side."""
    k = kernels.shape[-1] // samples
    split = kernels.reshape(*kernels.shape[:-2], samples, k, samples, k)
    split = split - split.mean(axis=-4, keepdims=True)
    return np.asarray((split - split.mean(axis=-2, keepdims=True)).reshape(kernels.shape))


def frobenius(matrices: Array) -> Array:
    """Frobenius norms of a stack."""
    return np.asarray(np.linalg.norm(matrices, axis=(-2, -1)))
