"""From an integer seed and a named stream to a random generator; the numbers are frozen."""

from __future__ import annotations

import operator
from enum import IntEnum
from typing import SupportsIndex

import numpy as np

from netphase.errors import ArgumentError


class Stream(IntEnum):
    """What the random numbers are for; streams of one seed are independent."""

    OUTPUT_WEIGHTS = 0
    INPUT_WEIGHTS = 1
    DATA = 2
    TEACHER = 3
    NOISE = 4
    BOOTSTRAP = 5
    NULL_MODEL = 6
    DIRECTIONS = 7
    HIDDEN_WEIGHTS = 8
    BATCHES = 9


def generator(seed: SupportsIndex, stream: Stream, part: int | None = None) -> np.random.Generator:
    """The generator of one stream of one seed.

    Args:
        seed: any integer, negative ones included.
        stream: what the numbers are for.
        part: number of an independent part of the stream, ≥ 0, such as a layer.

    Returns:
        A fresh PCG64 generator; equal arguments give equal numbers.

    Raises:
        ArgumentError: ``seed`` is not an integer.
    """
    if isinstance(seed, bool):
        raise ArgumentError(f"Argument `seed` must be an integer, but is {seed!r}.")
    try:
        number = operator.index(seed)
    except TypeError:
        raise ArgumentError(f"Argument `seed` must be an integer, but is {seed!r}.") from None
    key = (int(stream), int(number < 0)) if part is None else (int(stream), int(number < 0), part)
    sequence = np.random.SeedSequence(abs(number), spawn_key=key)
    return np.random.Generator(np.random.PCG64(sequence))
