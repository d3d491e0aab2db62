"""The event log: exact crossings, noise, states at both ends, and what is refused."""

import numpy as np
import pytest

from netphase.errors import ArgumentError
from netphase.observables import activation_events, active_neurons


def two_neurons(share):
    """One neuron with a share of the path norm, and one with the rest."""
    return np.column_stack([share, 1.0 - share])


def test_a_share_that_is_linear_in_log_time_crosses_exactly():
    time = np.geomspace(1.0, 1000.0, 14)
    share = 0.2 * np.log(time) / np.log(1000.0)
    (event,) = activation_events(time, two_neurons(share))
    assert event.time == pytest.approx(1000.0**0.25, rel=1e-12)
    assert (event.neuron, event.kind) == (0, "activation")
    index = int(np.searchsorted(time, event.time))
    assert event.before == share[index - 1]
    assert event.after >= share[index]


def test_the_crossing_converges_to_second_order():
    def error(count):
        time = np.geomspace(1.0, 100.0, count)
        share = 0.2 / (1.0 + (20.0 / time) ** 3)
        (event,) = activation_events(time, two_neurons(share))
        return abs(np.log(event.time / (20.0 / 3.0 ** (1 / 3))))

    errors = np.array([max(error(n + k) for k in range(20)) for n in (40, 80, 160, 320)])
    slopes = np.diff(np.log2(errors))
    assert np.all(slopes < -1.7), slopes


def test_noise_makes_no_further_events():
    time = np.geomspace(1.0, 1e4, 800)
    clean = 0.2 / (1.0 + (100.0 / time) ** 2)
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal(800)
        share = clean * (1.0 + 0.1 * noise)
        plain = activation_events(time, two_neurons(share), sustained=1.0)
        (event,) = activation_events(time, two_neurons(share))
        assert len(plain) > 1  # which the noise would make without the condition to last
        assert event.kind == "activation"
        assert event.time == pytest.approx(100.0 / np.sqrt(3.0), rel=0.25)


def test_a_bump_counts_if_it_lasts():
    time = np.geomspace(1.0, 100.0, 200)
    for factor, count in ((1.15, 0), (1.4, 2)):
        share = np.where((time > 10) & (time < 10 * factor), 0.2, 0.01)
        events = activation_events(time, two_neurons(share))
        assert [event.kind for event in events] == ["activation", "deactivation"][:count]
    assert events[0].time == pytest.approx(10, rel=0.03)
    assert events[1].time == pytest.approx(14, rel=0.03)
    assert (events[0].before, events[0].after) == (0.01, 0.2)
    assert (events[1].before, events[1].after) == (0.2, 0.01)


def test_a_crossing_at_the_end_is_not_confirmed():
    time = np.geomspace(1.0, 100.0, 200)
    early, late = (two_neurons(np.where(time > when, 0.2, 0.01)) for when in (80.0, 90.0))
    assert len(activation_events(time, early)) == 1
    assert activation_events(time, late) == []


def test_neurons_that_are_large_from_the_start_are_a_state_and_no_event():
    time = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])
    p = np.array([[0.0, 0.0]] + [[0.5, 0.5]] * 2 + [[1.0, 0.01]] * 3)
    events = activation_events(time, p)
    assert [(event.neuron, event.kind) for event in events] == [(1, "deactivation")]
    active = active_neurons(time, p, events)
    assert active.sum(axis=1).tolist() == [0, 2, 2, 1, 1, 1]
    assert activation_events(time, np.zeros((6, 2))) == []
    assert not active_neurons(time, np.zeros((6, 2)), []).any()


def test_the_log_tells_the_state_at_every_time():
    rng = np.random.default_rng(5)
    time = np.geomspace(1.0, 1e3, 300)
    phase = rng.uniform(0, 6, 12)
    p = np.exp(1.5 * np.sin(2.0 * np.log(time)[:, None] + phase) - 1.0)
    events = activation_events(time, p)
    assert {event.kind for event in events} == {"activation", "deactivation"}
    assert [event.time for event in events] == sorted(event.time for event in events)
    active = active_neurons(time, p, events)
    last = [event.time for event in events if event.kind == "activation"]
    settled = time < time[-1] / 1.3  # later crossings are not confirmed
    above = np.abs(p) > 0.05 * np.abs(p).sum(axis=1, keepdims=True)
    assert last
    np.testing.assert_array_equal(active[settled], above[settled])


def test_signs_and_the_order_of_neurons_do_not_matter():
    rng = np.random.default_rng(6)
    time = np.geomspace(1.0, 1e3, 100)
    p = np.abs(np.sin(np.log(time)[:, None] + rng.uniform(0, 6, 5))) ** 3
    order, signs = rng.permutation(5), np.array([1, -1, 1, -1, -1])
    plain = {(e.time, e.neuron, e.kind) for e in activation_events(time, p)}
    other = {(e.time, int(order[e.neuron]), e.kind)
             for e in activation_events(time, (signs * p)[:, order])}  # fmt: skip
    assert plain == other
    assert plain


@pytest.mark.parametrize(
    ("time", "p", "options", "words"),
    [
        ([1.0, 1.0], np.ones((2, 2)), {}, "`time` must increase"),
        ([-1.0, 1.0], np.ones((2, 2)), {}, "`time` must increase"),
        ([1.0, 2.0], np.ones((3, 2)), {}, "the shapes"),
        ([1.0, 2.0], np.full((2, 2), np.nan), {}, "`p` must be finite"),
        ([1.0, 2.0], np.ones((2, 2)), {"share": 1.0}, "`share`"),
        ([1.0, 2.0], np.ones((2, 2)), {"sustained": 0.9}, "`sustained`"),
    ],
)
def test_what_makes_no_sense_is_refused(time, p, options, words):
    with pytest.raises(ArgumentError, match=words):
        activation_events(np.array(time), p, **options)
