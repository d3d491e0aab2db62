"""Network-steps a second of one core: netphase beside PyTorch and JAX, with the error of each."""

import time

import pytest

import contestants
from cases import Case, deviation, reference

CHECKED_STEPS = 20
"""After so many steps the parameters are compared with the float64 reference."""

SMALL = ("Netphase", "TorchEager", "TorchVmap", "JaxAutodiff", "JaxByHand")
WIDE = ("Netphase", "TorchEager", "JaxAutodiff", "JaxByHand")
IMAGES = ("NetphaseGram", "TorchEager", "JaxAutodiff", "JaxGram")

CASES = [
    *(
        (Case(4, 2, 1000, act, dtype), SMALL)
        for act in ("relu", "tanh")
        for dtype in ("float32", "float64")
    ),
    *((Case(100, 2, 1000, act, "float32", 4), SMALL) for act in ("relu", "tanh")),
    (Case(200, 785, 1000, "relu", "float32", 1), IMAGES),
    *((Case(4, 2, 10_000, act, "float32", 4), WIDE) for act in ("relu", "tanh")),
    *((Case(4, 2, 1_000_000, act, "float32", 1), WIDE) for act in ("relu", "tanh")),
]
ENTRIES = [(case, who) for case, names in CASES for who in names]


@pytest.mark.benchmark(group="throughput", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize(
    ("case", "who"), ENTRIES, ids=lambda v: v if isinstance(v, str) else v.name
)
def test_network_steps_per_core_second(case, who, benchmark, note, quick):
    if who.startswith("Torch"):
        pytest.importorskip("torch")
    elif who.startswith("Jax"):
        pytest.importorskip("jax")
    contestant = getattr(contestants, who)(case)
    error = deviation(contestant.run(CHECKED_STEPS), reference(case, CHECKED_STEPS))
    assert error < (1e-9 if case.dtype == "float64" else 1e-2)
    long = 3.0 if case.d > 100 or case.m > 10**5 else 0.5  # what a run sets up should not count
    steps = _steps_in(contestant, 0.05 if quick else long)
    benchmark.pedantic(
        contestant.run, args=(steps,), rounds=1 if quick else 7, warmup_rounds=0 if quick else 1
    )
    note(case=case.name, who=contestant.name, network_steps=steps * contestant.runs, error=error)


def _steps_in(contestant, seconds):
    """So many steps take about so long, a multiple of what is compiled at once."""
    chunk = getattr(contestant, "chunk", 1)
    steps = chunk
    while True:
        contestant.run(steps)
        before = time.process_time()
        contestant.run(steps)
        taken = time.process_time() - before
        if taken > 0.2 * seconds:
            return max(chunk, round(steps * seconds / taken / chunk) * chunk)
        steps *= 4
