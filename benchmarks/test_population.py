"""Training on infinitely many inputs: one gradient step beside peers, and what a flow costs."""

import time

import numpy as np
import pytest

import populations

CASES = [
    populations.Case(200, 100),
    populations.Case(20, 19),
    populations.Case(60, 30),
    populations.Case(1000, 20, 0.002),
]
WHO = ("Netphase", "Numpy", "Torch")
CHECKED_STEPS = 20


def gap(found, truth):
    """Largest relative difference of the parameters and of the mean square."""
    return max(
        float(np.max(np.abs(one - other)) / np.max(np.abs(other)))
        for one, other in zip(found, truth, strict=True)
    )


@pytest.mark.benchmark(group="population", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.m}x{case.d}")
def test_gradient_step_beside_peers(case, benchmark, note, quick):
    speed, errors = {}, {}
    truth = populations.Numpy(case).run(CHECKED_STEPS)
    for who in WHO:
        if who == "Torch":
            pytest.importorskip("torch")
        contestant = getattr(populations, who)(case)
        errors[who] = gap(contestant.run(CHECKED_STEPS), truth)
        assert errors[who] < 1e-12
        steps = CHECKED_STEPS if quick else max(CHECKED_STEPS, 4 * 10**7 // (case.m**2 * case.d))
        best = []
        for _ in range(1 if quick else 7):
            before = time.process_time()
            contestant.run(steps)
            best.append((time.process_time() - before) / (steps + 1))
        speed[who] = min(best)
    ours = populations.Netphase(case)
    benchmark.pedantic(ours.run, args=(CHECKED_STEPS,), rounds=1 if quick else 7)
    note(
        case=case.name,
        microseconds_a_step=1e6 * speed["Netphase"],
        times_numpy=speed["Numpy"] / speed["Netphase"],
        times_pytorch=speed["Torch"] / speed["Netphase"],
        error=max(errors.values()),
    )


@pytest.mark.benchmark(group="population", timer=time.process_time)
@pytest.mark.usefixtures("one_core")
def test_flow_climbs_the_staircase_of_the_circle(benchmark, note, quick):
    from netphase import activations, targets
    from netphase.dynamics import Descent, Flow, PopulationDynamics, evolve
    from netphase.engine.problem import Stop
    from netphase.networks import TwoLayerNetwork, student_parameters
    from netphase.scalings import Scales

    network = TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1.0))
    dynamics = PopulationDynamics(network, targets.circle(30))
    start = student_parameters(60, 30, seed=0)
    stop = Stop(mean_square=0.0, time=200.0 if quick else 5e3)
    flow = benchmark.pedantic(lambda: evolve(dynamics, Flow(), start, stop=stop), rounds=1)
    exact = evolve(dynamics, Flow(1e-8), start, stop=stop).mean_square[-1]
    descent = evolve(dynamics, Descent("stable"), start, stop=stop)
    note(
        what="circle, m = 60, d = 30",
        time=stop.time,
        flow_gradients=flow.gradients,
        flow_error=abs(flow.mean_square[-1] / exact - 1),
        descent_gradients=descent.gradients,
        descent_error=abs(descent.mean_square[-1] / exact - 1),
        times_fewer=descent.gradients / flow.gradients,
    )
    assert abs(flow.mean_square[-1] / exact - 1) < 0.01
