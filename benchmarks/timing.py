"""The time of a call beside those that pytest-benchmark takes."""

import time

ROUNDS = 3


def fastest(call):
    """The least seconds of a few calls, and what the last returns."""
    seconds = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - before)
    return min(seconds), found
