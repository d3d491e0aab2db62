"""Steps of projected SGD against loops in NumPy and PyTorch, and what they cost in m and d.

The NumPy loop draws a thousand samples at a time, works in place, and gets the lengths of the new
rows from |u + g (x − z u)|² = 1 + g² (|x|² − z²), as the engine does, without a pass. The error of
a contestant is how far the risk of its run is from that of the flow at the end, the mean over
seeds; all take the same steps, so that all should be off by as much.
"""

import math
import time

import numpy as np
import pytest

from netphase import hermite
from netphase.dynamics import ExactOverlaps, Overlaps, ProjectedSGD
from netphase.seeds import Stream, generator

EPSILON, RATE, SHIFT = 0.2, 1e-4, 0.5
SIGMA, PHI = hermite.relu(SHIFT), hermite.expand([1.0, -1.0, 2 / 3, -1 / 3])
EXACT = ExactOverlaps(SIGMA, PHI, EPSILON)
CHUNK = 1000


def weights(m, d, seed):
    """The start of a seed, a (m,) and rows of unit length (m, d)."""
    u = generator(seed, Stream.INPUT_WEIGHTS).standard_normal((m, d))
    return EXACT.initial(m, seed=seed).a, u / np.linalg.norm(u, axis=1)[:, None]


def numpy_loop(m, d, steps, seed):
    rng, (a, u) = np.random.default_rng(seed), weights(m, d, seed)
    a, pushed = a.copy(), np.empty_like(u)
    for _ in range(0, steps, CHUNK):
        samples = rng.standard_normal((CHUNK, d))
        labels, squares = PHI(samples[:, 0]), np.einsum("ij,ij->i", samples, samples)
        for x, y, square in zip(samples, labels, squares, strict=True):
            z = u @ x
            value = np.maximum(z + SHIFT, 0.0)
            e = y - a @ value / m
            g = RATE * e * a * (z > -SHIFT)
            a += RATE / EPSILON * e * value
            length = 1 / np.sqrt(1 + g * g * (square - z * z))
            u *= ((1 - g * z) * length)[:, None]
            u += np.multiply((g * length)[:, None], x, out=pushed)
    return a, u


def torch_loop(m, d, steps, seed):
    import torch

    torch.set_num_threads(1)
    rng, (a, u) = np.random.default_rng(seed), weights(m, d, seed)
    a, u = torch.tensor(a, requires_grad=True), torch.tensor(u, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": a, "lr": m * RATE / EPSILON}, {"params": u}], m * RATE)
    for _ in range(0, steps, CHUNK):
        samples = rng.standard_normal((CHUNK, d))
        labels = torch.tensor(PHI(samples[:, 0]))
        for x, y in zip(torch.tensor(samples), labels, strict=True):
            loss = 0.5 * (y - a @ torch.relu(u @ x + SHIFT) / m) ** 2
            optimiser.zero_grad()
            loss.backward()
            with torch.no_grad():
                u.grad -= (u.grad * u).sum(dim=1, keepdim=True) * u
            optimiser.step()
            with torch.no_grad():
                u /= u.norm(dim=1, keepdim=True)
    return a.detach().numpy(), u.detach().numpy()


def peer(loop, m, d, steps, seeds):
    """Seconds a step, and the risk of each seed."""
    before = time.process_time()
    ends = [loop(m, d, steps, seed) for seed in seeds]
    seconds = (time.process_time() - before) / (steps * len(seeds))
    return seconds, np.array(
        [EXACT.risk(Overlaps.of_weights(*end, np.eye(1, d)[0])) for end in ends]
    )


def gap(risks, flow):
    """Mean distance from the flow, and its standard error."""
    off = np.abs(risks - flow)
    return float(off.mean()), float(off.std(ddof=1) / math.sqrt(len(off)))


@pytest.mark.benchmark(group="projected SGD", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("against", ["NumPy", "PyTorch"])
@pytest.mark.parametrize("method", ["explicit", "reduced"])
def test_steps_against_a_loop(method, against, benchmark, note, quick):
    if against == "PyTorch":
        pytest.importorskip("torch")
    m, d, seeds = 30, 400, range(3)
    steps = 2 * CHUNK if quick else 10 * CHUNK
    model, end = ProjectedSGD(SIGMA, PHI, EPSILON, rate=RATE, inputs=d), steps * RATE
    flow = np.array([EXACT.solve(EXACT.initial(m, d, seed=seed), [end]).risk[0] for seed in seeds])
    long = 10 * steps
    benchmark.pedantic(
        lambda: model.run(m, [long * RATE], method=method, jobs=1), rounds=3, warmup_rounds=1
    )
    seconds = benchmark.stats.stats.min / long
    found = model.run(m, [end], seeds=seeds, method=method, jobs=1).risk[:, 0]
    loop = numpy_loop if against == "NumPy" else torch_loop
    theirs, risks = peer(loop, m, d, steps, seeds)
    ours, others = gap(found, flow), gap(risks, flow)
    note(
        what=f"{method} against {against}",
        microseconds_a_step=1e6 * seconds,
        peer_microseconds=1e6 * theirs,
        times_faster=theirs / seconds,
        error=ours[0],
        peer_error=others[0],
    )
    assert abs(ours[0] - others[0]) < 4 * math.hypot(ours[1], others[1])
    assert quick or theirs / seconds > (20 if method == "reduced" else 12)


@pytest.mark.benchmark(group="projected SGD", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("method", ["explicit", "reduced"])
@pytest.mark.parametrize("what", ["m", "d"])
def test_what_a_step_costs(method, what, benchmark, note, quick):
    sizes = np.array([20, 40, 80] if quick else [40, 80, 160, 320])
    cost = []
    for size in sizes:
        m, d = (int(size), 1600) if what == "m" else (16, 10 * int(size))
        model, count = ProjectedSGD(SIGMA, PHI, rate=1e-7, inputs=d), int(1e9 / (m * d))
        times = np.array([0.0, count * 1e-7])

        def run(model=model, m=m, times=times):
            before = time.process_time()
            model.run(m, times, method=method, jobs=1)
            return time.process_time() - before

        # without what the start costs
        idle = min(
            _timed(lambda model=model, m=m: model.run(m, [0.0], method=method, jobs=1))
            for _ in range(3)
        )
        cost.append((min(run() for _ in range(1 if quick else 3)) - idle) / count)
    benchmark.pedantic(run, rounds=1)
    slope = float(np.polyfit(np.log(sizes), np.log(cost), 1)[0])
    note(
        what=f"cost of a step in {what}, {method}",
        slope=slope,
        microseconds_first=1e6 * cost[0],
        microseconds_last=1e6 * cost[-1],
    )
    least, most = {
        ("m", "explicit"): (0.6, 1.2),
        ("m", "reduced"): (1.2, 2.2),
        ("d", "explicit"): (0.7, 1.2),
        ("d", "reduced"): (-0.15, 0.15),
    }[what, method]
    assert quick or least < slope < most


def _timed(run):
    before = time.process_time()
    run()
    return time.process_time() - before
