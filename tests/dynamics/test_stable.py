"""`Descent("stable")` through `evolve`, experiments and the command line."""

import numpy as np
import pytest

from netphase import Experiment, activations, targets
from netphase.cli.methods import chosen_method
from netphase.dynamics import Descent, GradientDynamics, evolve
from netphase.engine import Stop
from netphase.errors import ArgumentError
from netphase.networks import TwoLayerNetwork, student_parameters
from netphase.scalings import Scales, ScalingLaw


def silent(m, n=40, d=5):
    data = targets.single_neuron(d).sample(n, seed=2)
    network = TwoLayerNetwork(activations.get("relu"), Scales(1.0, 1.0, 1.0))
    return GradientDynamics(network, data), student_parameters(m, d, seed=2)


def test_a_silent_start_has_no_relative_change_of_a():
    dynamics, start = silent(20)
    whole = evolve(dynamics, Descent("stable"), start, stop=Stop(0.0, time=5.0))
    parts = evolve(dynamics, Descent("stable"), start, stop=Stop(0.0, time=5.0), times=[2.0])
    for run in (whole, parts):
        assert np.all(np.isnan(run.relative_change_a))
        assert run.relative_change_w[-1] > 0.0
        assert run.relative_change_theta[-1] > 0.0
    assert parts.snapshots[0].a.shape == (20,)


def test_the_edge_of_stability_is_noted_over_the_whole_run():
    dynamics, start = silent(20)
    stop = Stop(0.0, max_steps=300)
    stable = evolve(dynamics, Descent("stable"), start, stop=stop)
    assert 0.49 < stable.notes["largest_sharpness"] < 0.6
    assert stable.notes["rising_records"] == 0.0
    step = float(stable.time[1])  # 1/λ_max of the start
    wild = evolve(dynamics, Descent(2.6 * step), start, stop=stop)
    assert wild.notes["largest_sharpness"] > 1.25
    assert wild.notes["rising_records"] > 0.05
    # the sharpest moment is the beginning, which chunks between times must not forget
    times = np.array([1.0, 40.0]) * 2.6 * step
    parts = evolve(dynamics, Descent(2.6 * step), start, stop=stop, times=times)
    assert parts.notes["largest_sharpness"] >= 1.25
    assert "largest_sharpness" not in evolve(dynamics, Descent(), start, stop=stop).notes


def test_it_follows_the_flow_of_the_early_stage():
    dynamics, start = silent(60)
    end = Stop(0.0, time=3.0)
    literal = evolve(dynamics, Descent("stable"), start, stop=end)
    fine = evolve(dynamics, Descent(1e-3), start, stop=end)
    assert literal.mean_square[-1] == pytest.approx(fine.mean_square[-1], rel=0.05)
    assert literal.steps < fine.steps / 10


def test_experiments_and_options_know_the_word():
    experiment = Experiment(law=ScalingLaw.ntk(), width=10, method=Descent("stable"))
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert experiment.key != Experiment(law=ScalingLaw.ntk(), width=10).key
    options = {"method": "descent", "learning_rate": "stable", "accuracy": None}
    assert chosen_method(options) == Descent("stable")
    with pytest.raises(ArgumentError, match="'auto' or 'stable', but is 'fast'"):
        Descent("fast")
