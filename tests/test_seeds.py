"""Seeds: frozen numbers, independent streams, every integer legal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netphase.errors import ArgumentError
from netphase.seeds import Stream, generator


def test_stream_numbers_are_frozen():
    assert {stream.name: int(stream) for stream in Stream} == {
        "OUTPUT_WEIGHTS": 0,
        "INPUT_WEIGHTS": 1,
        "DATA": 2,
        "TEACHER": 3,
        "NOISE": 4,
        "BOOTSTRAP": 5,
        "NULL_MODEL": 6,
        "DIRECTIONS": 7,
        "HIDDEN_WEIGHTS": 8,
        "BATCHES": 9,
    }


def test_the_draws_of_a_seed_are_frozen():
    bits = generator(0, Stream.OUTPUT_WEIGHTS).integers(2**32, size=3).tolist()
    sequence = np.random.SeedSequence(0, spawn_key=(0, 0))
    assert bits == np.random.Generator(np.random.PCG64(sequence)).integers(2**32, size=3).tolist()
    assert bits == FROZEN


FROZEN = [73979004, 2427222451, 3906231730]


@given(st.integers())
def test_every_integer_is_a_seed_and_repeats(seed):
    first, second = (generator(seed, Stream.DATA).random(3) for _ in range(2))
    assert np.array_equal(first, second)


@given(st.integers(), st.integers())
def test_different_seeds_and_streams_differ(one, other):
    draws = {generator(seed, stream).bytes(16) for seed in {one, other} for stream in Stream}
    assert len(draws) == len({one, other}) * len(Stream)


@pytest.mark.parametrize("seed", [1.0, "1", None, True])
def test_what_is_no_integer_is_no_seed(seed):
    with pytest.raises(ArgumentError, match="`seed` must be an integer"):
        generator(seed, Stream.DATA)


def test_numpy_integers_are_seeds():
    a, b = generator(np.int64(7), Stream.DATA), generator(7, Stream.DATA)
    assert a.random() == b.random()
