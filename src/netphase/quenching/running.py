"""A student watched while it activates its neurons, and its random-feature twin beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from netphase._checks import finite_array, instance_of, positive_float, positive_int
from netphase._types import Array, InputLaw, Status
from netphase.dynamics import (
    Descent,
    Flow,
    GradientDynamics,
    PopulationDynamics,
    RandomFeatureModel,
    evolve,
)
from netphase.engine.problem import Stop
from netphase.errors import ArgumentError
from netphase.networks import Parameters
from netphase.quenching.setting import STABLE, Setting, check_frames, check_threshold, log_times
from netphase.results.quenching import End, Record, Twin, quenching_dataset

if TYPE_CHECKING:
    import xarray as xr

    from netphase.targets import Target

FIRST = 0.1
"""The first record, in units of the time in which the fastest mode of the twin relaxes."""

RESOLVED = 20.0
"""Until so many of these times a descent at half the limit of stability makes at least one step
from record to record, so that it follows the flow, as the twin does."""

STAGNATION, PATIENCE = 0.01, 10_000
"""A run has stagnated if its mean square error falls by less than this part while its time
doubles; the first so many steps never count as that."""

MOST_STEPS = 100_000_000


def quench(
    target: Target | str,
    width: int,
    samples: int | None = None,
    *,
    scaling: Literal["conventional", "mean_field"] | float = "conventional",
    seed: int = 0,
    inputs: InputLaw = "gaussian",
    method: Descent | Flow = STABLE,
    mean_square: float = 1e-6,
    time: float | None = None,
    max_steps: int = MOST_STEPS,
    frames: int = 24,
    times: Sequence[float] | Array | None = None,
    output_std: float = 0.0,
    start: Parameters | None = None,
    threshold: float = 0.1,
    watch: Callable[[Record], None] | None = None,
) -> xr.Dataset:
    """Train a ReLU student from silent output weights, and its random-feature twin beside it.

    f(x) = κ Σ a_j relu(w_j·x) starts with a = 0 and unit w, so that the output weights move first
    and the network follows the model whose w are frozen. Then few neurons are activated: they turn
    towards the target and take over, while the others are quenched. The twin starts at the same
    w and sees the same data; it follows its own equation in closed form, at literal rates that of
    gradient descent, else that of the flow.

    Args:
        target: f*, or the name of one, as in "circle?d=30" (see `netphase.targets.load`).
        width: neurons m, ≥ 1.
        samples: n, or None for infinitely many: the population risk, nothing drawn.
        scaling: "conventional" (κ = 1), "mean_field" (κ = 1/m), or γ in κ = m^−γ.
        seed: fixes the initial weights and the samples, any integer.
        inputs: law of x: "gaussian" or "sphere".
        method: how the student is advanced; the default is gradient descent at half the limit of
            stability, ``Descent(2 * rate)`` the literal descent on the mean square error at a
            rate.
        mean_square: the run ends at this mean square error.
        time: end on the clock t of dθ/dt = −∇R, R half the mean square error; then a plateau ends
            nothing. Without it, a run whose error falls by less than 1 % while its time doubles
            (after 10 000 steps) ends as stagnated: a plateau may be left later, so give a time to
            wait for that.
        max_steps: most steps.
        frames: records for each factor of ten in time, ≥ 2.
        times: times to record instead, increasing; the run ends at the last one. For a literal
            descent the nearest whole steps are taken.
        output_std: standard deviation of the initial output weights, 0 by default.
        start: initial parameters of your own, ``a`` of shape (m,) and ``w`` of shape (m, d); the
            twin has their w.
        threshold: τ; neurons with |p| > τ max|p| are activated, in [0, 1).
        watch: called with every `netphase.results.Record` once it is reached.

    Returns:
        Dataset over ``time``: parameters, contributions ``p`` of the neurons and of the twin's,
        mean square error on what is trained on and exact test error of both, their distance, path
        norm, effective numbers, rotation, the share of the quenched neurons; the event log over
        ``event``, phase markers over ``marker``, the neurons that found the target's over
        ``unit``. Its attributes hold the status. Numerical failures are a status; records that are
        not finite are left out.

    Raises:
        ArgumentError: an argument is outside its domain, the start has other inputs than the
            target, or the machine's memory does not hold the run.

    References:
        Ma, Wu & E (2020), "The quenching-activation behavior of the gradient descent dynamics".

    Example:
        >>> import netphase as nph
        >>> result = nph.quench("single_neuron?d=10", width=20, mean_square=1e-5)
        >>> result.attrs["status"], int(result["winner"].sum())
        ('converged', 1)
    """
    setting = Setting.of(target, width, samples, scaling, seed, inputs, method, output_std)
    share = check_threshold(threshold)
    goal, steps = positive_float("mean_square", mean_square), positive_int("max_steps", max_steps)
    setting.refuse_memory(8 * check_frames(frames) if times is None else len(times))
    point = _start(setting, start)
    model = setting.twin(point)
    fastest = float(model.rates[0])
    clock = _clock(FIRST / fastest, grain_of(setting.method), time, times, frames)
    patient = time is not None or times is not None
    walk = Walk(setting.student(), setting.method, 0.0, goal, steps, not patient, watch)
    paced = isinstance(method, Descent) and method.learning_rate == "stable"
    fine = RESOLVED / fastest if paced else 0.0
    records, end = walk.through(point, clock, fine)
    return quenching_dataset(
        setting.network,
        setting.target,
        records,
        _twin(model, records, grain_of(setting.method)),
        end,
        inputs=setting.inputs,
        threshold=share,
        population=setting.data is None,
        attributes={"setting": setting.to_json(), "own_start": int(start is not None)},
    )


def grain_of(method: Descent | Flow) -> float | None:
    """The step of a literal descent; None where steps are chosen on the way."""
    rate = method.learning_rate if isinstance(method, Descent) else None
    return rate if isinstance(rate, float) else None


class Walk:
    """A run from record to record.

    Args:
        dynamics: the equation.
        method: how it is advanced.
        origin: the time at which it starts.
        mean_square: ends the run.
        max_steps: most steps.
        impatient: whether a plateau ends it.
        watch: called with every record.
    """

    def __init__(
        self,
        dynamics: GradientDynamics | PopulationDynamics,
        method: Descent | Flow,
        origin: float,
        mean_square: float,
        max_steps: int,
        impatient: bool,
        watch: Callable[[Record], None] | None = None,
    ) -> None:
        self.dynamics, self.method, self.now = dynamics, method, origin
        self.mean_square, self.max_steps = mean_square, max_steps
        self.impatient, self.watch = impatient, watch
        self.records: list[Record] = []
        self.steps, self.sharpest, self.integrator = 0, math.nan, ""

    def through(
        self, start: Parameters, clock: Array, fine: float = 0.0
    ) -> tuple[list[Record], End]:
        """Go through times.

        Args:
            start: the parameters at the origin.
            clock: times to record, increasing, after the origin.
            fine: until this time every record ends a leg of its own.

        Returns:
            Records, the first at the origin, and how the run ended.
        """
        state, status = start, Status.TIME_REACHED
        in_one = isinstance(self.dynamics, PopulationDynamics) and not (self.impatient or fine)
        # a flow that starts anew takes a plateau of one leg for the end
        legs = [clock] if in_one else _legs(self.now, clock, fine)
        for leg in legs:
            state, status = self._leg(state, leg)
            if status is Status.TIME_REACHED and self.impatient and self._stagnates():
                status = Status.STAGNATED
            if status is not Status.TIME_REACHED:
                break
            if self.steps >= self.max_steps and leg is not legs[-1]:
                status = Status.MAX_STEPS
                break
        return self.records, End(status, self.steps, self.integrator, self.sharpest)

    def _leg(self, state: Parameters, times: Array) -> tuple[Parameters, Status]:
        """One leg, recorded."""
        stop = Stop(
            mean_square=self.mean_square,
            time=float(times[-1]) - self.now,
            max_steps=max(1, self.max_steps - self.steps),
        )
        run = evolve(self.dynamics, self.method, state, stop=stop, times=times - self.now)
        if not self.records:
            self._note(self.now, float(run.mean_square[0]), state)
        errors = np.interp(times - self.now, run.time, run.mean_square)
        for time, error, snapshot in zip(times, errors, run.snapshots, strict=False):
            self._note(float(time), float(error), snapshot)
        self.now += float(run.time[-1])
        self.steps += run.steps
        plateau = run.status is Status.STAGNATED and not self.impatient and run.time[-1] > 0.0
        if plateau and np.any(times > self.now):  # the engine gave up on it; a patient run does not
            return self._leg(run.final, times[times > self.now])
        if run.status is not Status.TIME_REACHED and self.now > self.records[-1].time:
            self._note(self.now, float(run.mean_square[-1]), run.final)
        self.integrator = run.integrator
        self.sharpest = np.fmax(self.sharpest, run.notes.get("largest_sharpness", math.nan))
        if run.status is Status.TIME_REACHED:
            self.now = float(times[-1])  # without the rounding of a sum
        return run.final, run.status

    def _note(self, time: float, mean_square: float, parameters: Parameters) -> None:
        finite = math.isfinite(mean_square) and all(np.isfinite(each).all() for each in parameters)
        if not finite:
            return
        self.records.append(Record(time, mean_square, parameters))
        if self.watch is not None:
            self.watch(self.records[-1])

    def _stagnates(self) -> bool:
        """Whether the error hardly fell while the time doubled."""
        now = self.records[-1]
        earlier = [record for record in self.records if 2.0 * record.time <= now.time]
        if self.steps < PATIENCE or not earlier or earlier[-1].time == 0.0:
            return False
        return now.mean_square > (1.0 - STAGNATION) * earlier[-1].mean_square


def _legs(origin: float, clock: Array, fine: float) -> list[Array]:
    """Times in groups that are run in one go: single ones at first, then factors of two."""
    legs: list[list[float]] = []
    since = origin
    for time in clock.tolist():
        if not legs or time <= fine or time > 2.0 * max(since, clock[0]):
            since = legs[-1][-1] if legs else origin
            legs.append([])
        legs[-1].append(time)
    return [np.array(leg) for leg in legs]


def _start(setting: Setting, given: Parameters | None) -> Parameters:
    """Where the student starts."""
    if given is None:
        return setting.start()
    instance_of("start", given, Parameters, "Parameters")
    a, w = finite_array("start.a", given.a, 1), finite_array("start.w", given.w, 2)
    if len(a) != setting.width or len(w) != setting.width:
        raise ArgumentError(
            f"Argument `start` must hold the {setting.width} neurons of the width, but holds "
            f"{len(a)} output weights and {len(w)} rows of input weights."
        )
    setting.target.check_inputs("start", w.shape[1])
    return Parameters(a.astype(np.float64), w.astype(np.float64))


def _clock(
    first: float,
    grain: float | None,
    time: float | None,
    times: Sequence[float] | Array | None,
    frames: int,
) -> Array:
    """The times to record."""
    if times is not None:
        if time is not None:
            raise ArgumentError(
                "Arguments `time` and `times` both say when the run ends; give one of them."
            )
        wanted = finite_array("times", times, 1)
        if wanted[0] < 0.0 or np.any(np.diff(wanted) <= 0.0) or wanted[-1] <= 0.0:
            raise ArgumentError("Argument `times` must increase from a time ≥ 0 on, but does not.")
        wanted = wanted[wanted > 0.0]
        return (
            wanted if grain is None else np.unique(np.maximum(np.round(wanted / grain), 1)) * grain
        )
    end = math.inf if time is None else positive_float("time", time)
    return log_times(first if grain is None else grain, frames, end, grain)


def _twin(model: RandomFeatureModel, records: Sequence[Record], step: float | None) -> Twin:
    """The twin at the times of the records, by the flow or by steps of a literal descent."""
    times = [record.time for record in records]
    limit = model.parameters(math.inf)
    if step is None:
        states = [model.parameters(time) for time in times]
        return Twin(states, np.array([model.mean_square(time) for time in times]), limit)
    counts = [round(time / step) for time in times]
    states = [model.descent(count, step) for count in counts]
    return Twin(states, np.array([model.descent_mean_square(k, step) for k in counts]), limit)
