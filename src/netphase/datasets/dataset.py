"""`Dataset`: checked inputs and targets, with where they come from and their fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from netphase._checks import finite_array
from netphase._types import Array
from netphase.errors import ArgumentError

_PARALLEL = 1e-12  # distance of unit vectors that rounding alone can make
_ZERO_MEAN = 1e-15  # mean over mean size that rounding alone can leave
_LARGEST = 1e100  # beyond it, products of two numbers leave the range of a float


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and scalar targets of a regression task; two are equal if their numbers are.

    Attributes:
        x: inputs; with a bias the last column is ones; shape (n, d), float64, read-only.
        y: targets, shape (n,), float64, read-only.
        name: what to call it in titles.
        source: what `load` makes it again from; "" for arrays given in memory.
        bias: whether the last column of ``x`` is the bias.

    Raises:
        ArgumentError: an array is empty, mis-shaped or not finite, the bias column is not ones,
            an input is zero, or two inputs are equal or parallel (the Gram matrix of the network
            is then singular, and training cannot or need not fit them both). Numbers beyond 1e100
            are refused too: their squares leave the range of a float.
    """

    x: Array
    y: Array
    name: str = "data"
    source: str = ""
    bias: bool = True

    def __post_init__(self) -> None:
        x = np.array(finite_array("x", self.x, 2), dtype=np.float64, order="C")
        y = np.array(finite_array("y", self.y, 1), dtype=np.float64)
        if len(x) != len(y):
            raise ArgumentError(
                f"Arguments `x` and `y` must have one row a sample, but have {len(x)} and "
                f"{len(y)} of them."
            )
        for name, array in (("x", x), ("y", y)):
            largest = float(np.max(np.abs(array)))
            if largest > _LARGEST:
                raise ArgumentError(
                    f"Argument `{name}` must hold numbers of at most {_LARGEST:g}, but holds one "
                    f"of size {largest:.3g}. Rescale it to size one."
                )
        if self.bias and not np.all(x[:, -1] == 1):
            raise ArgumentError(
                "The last column of `x` must be ones where `bias` is True. "
                "Append it, or pass bias=False."
            )
        _refuse_parallel(x, self.bias)
        for name, array in (("x", x), ("y", y)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.x.shape[0])

    @property
    def d(self) -> int:
        """Number of inputs of a neuron, the bias included."""
        return int(self.x.shape[1])

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the shapes and numbers of ``x`` and ``y``, 64 hexadecimal digits."""
        digest = hashlib.sha256(f"{self.n}x{self.d}:".encode())
        for array in (self.x, self.y):
            digest.update(array.astype("<f8").tobytes())
        return digest.hexdigest()

    def centred(self) -> Dataset:
        """The same inputs with targets of mean zero: their mean is taken from each.

        Returns:
            The data set, whose ``source`` ends in ``centred=True``; itself where the mean is zero
            up to rounding.

        Example:
            >>> from netphase.datasets import load
            >>> load("four_points").centred() == load("four_points?centred=True")
            True
        """
        mean = float(self.y.mean())
        if abs(mean) <= _ZERO_MEAN * float(np.abs(self.y).mean()):
            return self
        query = "?" in self.source and not Path(self.source).is_file()
        source = f"{self.source}{'&' if query else '?'}centred=True" if self.source else ""
        return replace(self, y=self.y - mean, name=f"{self.name}, centred", source=source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dataset):
            return NotImplemented
        return self.sha256 == other.sha256 and self.bias == other.bias

    def __hash__(self) -> int:
        return hash((self.sha256, self.bias))

    def __repr__(self) -> str:
        kind = "with" if self.bias else "no"
        return f"Dataset({self.name!r}, n={self.n}, d={self.d}, {kind} bias)"


def _refuse_parallel(x: Array, bias: bool) -> None:
    norms = np.sqrt(np.einsum("nd,nd->n", x, x))
    if np.any(norms == 0):
        k = int(np.argmin(norms))
        raise ArgumentError(
            f"Input {k} is zero, so no neuron can respond to it. Remove it or use a bias."
        )
    pair = _nearest_parallel(x / norms[:, None])
    if pair is None:
        return
    i, j = pair
    if np.array_equal(x[i], x[j]):
        raise ArgumentError(
            f"Inputs {i} and {j} are equal, so the Gram matrix of the network is singular and "
            "their targets cannot be told apart. Remove one of them."
        )
    where = " once the bias is appended" if bias else ""
    remedy = "Rescale the inputs to size one" if bias else "Use a bias"
    raise ArgumentError(
        f"Inputs {i} and {j} are parallel{where}, so the Gram matrix of a homogeneous network is "
        f"singular and both targets cannot be fitted. {remedy}, or remove one of them."
    )


def _nearest_parallel(unit: Array) -> tuple[int, int] | None:
    """Two rows of unit vectors equal up to rounding, if there are any.

    Near vectors have near projections on any line, so only neighbours in the order of one
    projection are compared.
    """
    n, d = unit.shape
    line = np.cos(1.0 + np.arange(d))  # a fixed line in general position
    projection = unit @ (line / np.linalg.norm(line))
    order = np.argsort(projection, kind="stable")
    ordered = projection[order]
    for step in range(1, n):
        close = np.flatnonzero(ordered[step:] - ordered[:-step] < _PARALLEL)
        if not len(close):
            return None
        i, j = order[close], order[close + step]
        distance = np.linalg.norm(unit[i] - unit[j], axis=1)
        if np.any(distance < _PARALLEL):
            k = int(np.argmin(distance))
            first, second = sorted((int(i[k]), int(j[k])))
            return first, second
    return None
