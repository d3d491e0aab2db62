"""One network watched while it condenses: looks at even distances, and what is seen at each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netphase import activations
from netphase._checks import instance_of, non_negative_int, positive_int
from netphase._types import Array, Status
from netphase.directions import DirectionPrediction, predicted_directions
from netphase.dynamics import Adam, Descent, GradientDynamics, Trajectory, evolve
from netphase.engine.problem import MOST_STEPS, Stop
from netphase.errors import ArgumentError
from netphase.experiment import Experiment
from netphase.kernels import stage_end
from netphase.networks import Parameters, TwoLayerNetwork, initial_parameters
from netphase.observables import label_mean
from netphase.results.condensing import Moment, condensing_dataset, moment
from netphase.results.pacing import even_times, progress_of_records, progress_of_states

if TYPE_CHECKING:
    import xarray as xr

    from netphase.datasets import Dataset

PART = 0.1
"""Share of what the leading order can explain that is learnt where the initial stage ends."""


class Expected(NamedTuple):
    """What theory says of a network before it is trained.

    Attributes:
        prediction: directions it will condense on, or None.
        reason: why there are none, in a sentence; empty where there are.
    """

    prediction: DirectionPrediction | None
    reason: str


def expected_directions(data: Dataset, activation: str) -> Expected:
    """The directions a small network will condense on, or a sentence on why none are predicted.

    Args:
        data: inputs and targets.
        activation: a name of `netphase.activations`.

    Returns:
        The prediction without its basins, or the reason.

    Raises:
        ArgumentError: the activation is unknown.

    Example:
        >>> from netphase.datasets import four_points
        >>> expected_directions(four_points(), "tanh").prediction.count
        2
    """
    activations.get(activation)
    try:
        found = predicted_directions(data, activation, neurons=0)
    except ArgumentError as error:
        return Expected(None, str(error))
    if found.count:
        return Expected(found, "")
    return Expected(
        None,
        "The neurons of these data grow nowhere more than elsewhere (the landscape has no isolated "
        "maximum above zero), so no direction is predicted.",
    )


def condense(
    experiment: Experiment,
    frames: int = 120,
    *,
    chance_draws: int = 0,
    expected: Expected | None = None,
    watch: Callable[[Moment], None] | None = None,
) -> xr.Dataset:
    """Train a network and look at its neurons at many moments, evenly spaced in what happens.

    The run is made three times: once for its clock, once to measure how far the neurons move, and
    once at the moments between which amplitudes, directions and loss change evenly; the end of the
    initial stage is one of them. Small initial weights (γ > 1 at α = 1, `ScalingLaw.plain`)
    condense.

    Small networks leave a saddle, on which the loss rests while the weights move on. So a run whose
    loss stagnates goes on where a relative change still grows faster than the square root of
    time: at the end of training it grows slower, if at all, and on a saddle at least in proportion.

    Args:
        experiment: what to run; `netphase.kernels.stage_end` gives the mean square error that
            ends its initial stage.
        frames: moments, both ends included, ≥ 2; fewer are made where a descent or Adam takes
            fewer steps.
        chance_draws: clouds of random directions for the chance level of the counts; 0 for none.
        expected: what `expected_directions` returned for these data and this activation, where it
            is known already.
        watch: called with every `netphase.results.condensing.Moment` as it is reached.

    Returns:
        Dataset with the parameters ``a`` and ``w``, loss, relative changes and measures of
        condensation at every moment, and the predicted directions; see
        `netphase.results.condensing.condensing_dataset`. Attributes hold the experiment, its
        status, and why no direction is predicted (``no_prediction``, empty where some are).

    Raises:
        ArgumentError: an argument is outside its range, the data cannot be read, all neurons are
            dead, or the start already meets the condition to stop. Numerical failures of the run
            are a status; moments that are not finite are left out.

    References:
        Zhou et al. (NeurIPS 2022); Chen et al. (2023).

    Example:
        >>> import netphase as nph
        >>> law = nph.ScalingLaw.plain(4.0, 0.0)
        >>> run = nph.Experiment(
        ...     law=law, width=50, activation="tanh", antisymmetric=False, method=nph.Flow(),
        ...     mean_square=nph.kernels.stage_end(nph.datasets.four_points(), "tanh"),
        ... )
        >>> seen = condense(run, frames=20)
        >>> int(seen["lines"][-1]), bool(seen["median_cosine"][-1] > 0.95)
        (1, True)
    """
    instance_of("experiment", experiment, Experiment, "an Experiment")
    count, draws = positive_int("frames", frames), non_negative_int("chance_draws", chance_draws)
    if count < 2:
        raise ArgumentError("Argument `frames` must be at least 2: a start and an end.")
    data = experiment.dataset
    network = TwoLayerNetwork(activations.get(experiment.activation), experiment.scales)
    start = initial_parameters(
        experiment.width, data.d, experiment.seed, experiment.antisymmetric, experiment.dtype
    )
    _refuse_dead(network, start, data)
    run = _Run(GradientDynamics(network, data), experiment, start)
    if expected is None:
        expected = expected_directions(data, experiment.activation)
    stage_over = run.reaches(_stage_end(data, experiment.activation))
    seen = _look(run, count, expected.prediction, stage_over, watch)
    return condensing_dataset(
        network,
        run.clock,
        seen,
        data,
        experiment.width,
        prediction=expected.prediction,
        initial_stage_end=stage_over,
        chance_draws=draws,
        attributes={
            "experiment": experiment.to_json(),
            "key": experiment.key,
            "no_prediction": expected.reason,
        },
    )


class _Run:
    """An experiment that can be made again with looks at any times."""

    def __init__(
        self, dynamics: GradientDynamics, experiment: Experiment, start: Parameters
    ) -> None:
        self.dynamics, self.method, self.start = dynamics, experiment.method, start
        self.tracked = experiment.width
        self.clock = self._until(experiment.stop)
        if self.clock.status is Status.STAGNATED and _leaves_saddle(self.clock):
            self.clock = self._until(replace(experiment.stop, stagnation=0.0))
        if self.clock.steps == 0 and self.clock.status is Status.CONVERGED:
            raise ArgumentError(
                f"The start has a mean square error of {self.clock.mean_square[0]:.4g}, which is "
                f"already at or below the target {experiment.mean_square:.4g}: there is nothing to "
                "see. Choose a smaller one."
            )

    @property
    def grain(self) -> float | None:
        """The clock's smallest step where every step has the same size."""
        if isinstance(self.method, Adam):
            return 1.0
        rate = self.method.learning_rate if isinstance(self.method, Descent) else "auto"
        return rate if isinstance(rate, float) else None

    def _until(self, stop: Stop) -> Trajectory:
        return evolve(self.dynamics, self.method, self.start, stop=stop, tracked=self.tracked)

    def reaches(self, mean_square: float | None) -> float:
        """When the run is down to a mean square error; NaN if never, or if that is None."""
        if mean_square is None:
            return math.nan
        last = float(self.clock.time[-1])
        if abs(float(self.clock.mean_square[-1]) / mean_square - 1) < 1e-6:  # where it ends
            return last
        if not np.any(self.clock.mean_square <= mean_square):
            return math.nan
        found = self._until(Stop(mean_square=mean_square, time=last, max_steps=MOST_STEPS))
        end = min(float(found.time[-1]), last)
        return end if self.grain is not None else self._crossing(found, mean_square, end)

    def _crossing(self, found: Trajectory, mean_square: float, end: float) -> float:
        """When a continuous run is down to a mean square error, between its last records.

        The engines land on a mean square within a thousandth; the initial stage is over when a
        plateau has fallen by less.
        """
        from scipy.optimize import brentq

        above = np.flatnonzero(found.mean_square > mean_square)
        if not len(above):
            return end
        start = float(found.time[above[-1]])
        *_, (_, _, state) = self.states(np.array([0.0, start] if start > 0.0 else [0.0]))

        def height(time: float) -> float:
            stop = Stop(mean_square=0.0, time=time - start, max_steps=MOST_STEPS)
            leg = evolve(self.dynamics, self.method, state, stop=stop, tracked=self.tracked)
            return float(leg.mean_square[-1]) / mean_square - 1

        if height(end) > 0.0:
            return end
        low = start + 1e-9 * (end - start)
        return float(brentq(height, low, end, rtol=1e-6)) if height(low) > 0.0 else start

    def states(self, times: Array) -> Iterator[tuple[float, float, Parameters]]:
        """Time, mean square error and parameters at some times, the first of which is 0."""
        yield 0.0, float(self.clock.mean_square[0]), self.start
        if isinstance(self.method, Adam):
            yield from self._of_adam(times[1:])
            return
        now, state = 0.0, self.start
        for time in times[1:].tolist():
            stop = Stop(mean_square=0.0, time=time - now, max_steps=MOST_STEPS)
            leg = evolve(self.dynamics, self.method, state, stop=stop, tracked=self.tracked)
            if leg.status is not Status.TIME_REACHED:
                return
            now, state = time, leg.final
            yield now, float(leg.mean_square[-1]), state

    def _of_adam(self, times: Array) -> Iterator[tuple[float, float, Parameters]]:
        """The same for Adam, whose memory does not allow to stop and start again."""
        if not len(times):
            return
        stop = Stop(mean_square=0.0, time=float(times[-1]), max_steps=MOST_STEPS)
        run = evolve(self.dynamics, self.method, self.start, stop=stop, times=times)
        errors = np.interp(times, run.time, run.mean_square)  # which has rows at these times
        yield from zip(times.tolist(), errors.tolist(), run.snapshots, strict=False)


def _look(
    run: _Run,
    count: int,
    prediction: DirectionPrediction | None,
    stage_over: float,
    watch: Callable[[Moment], None] | None,
) -> list[Moment]:
    """The moments of a run, evenly spaced in what happens."""
    whole = _finite_part(run.clock)
    times = even_times(whole.time, progress_of_records(whole), count, run.grain)
    if len(times) > 2:
        passed, progress = progress_of_states(run.states(times), run.tracked)
        times = even_times(passed, progress, count, run.grain)
    times = _with(times, stage_over)
    predicted = None if prediction is None else (prediction.directions, prediction.sign_of_a)
    z = _label_mean(run.dynamics.data)
    moments = []
    for time, mean_square, parameters in run.states(times):
        if not math.isfinite(mean_square):
            break
        moments.append(moment(time, mean_square, parameters, run.tracked, predicted, z))
        if watch is not None:
            watch(moments[-1])
    return moments


def _with(times: Array, extra: float) -> Array:
    """Times, the nearest of those between the ends moved to another between them.

    The last one stands for what is hardly earlier, within a tenth of the last interval.
    """
    if len(times) < 3 or not times[0] < extra < times[-1] - 0.1 * (times[-1] - times[-2]):
        return times
    nearest = 1 + int(np.abs(times[1:-1] - extra).argmin())
    return np.unique(np.concatenate([times[:nearest], [extra], times[nearest + 1 :]]))


def _leaves_saddle(run: Trajectory) -> bool:
    """Whether a relative change grew faster than the square root of time while that doubled."""
    half = run.time[-1] / 2
    return any(
        bool(change[-1] > math.sqrt(2) * np.interp(half, run.time, change))
        for change in (run.relative_change_w, run.relative_change_a)
    )


def _finite_part(trajectory: Trajectory) -> Trajectory:
    """The records of a run before a number overflows."""
    names = ("mean_square", "relative_change_w", "relative_change_a", "relative_change_theta")
    finite = np.all([np.isfinite(getattr(trajectory, name)) for name in names], axis=0)
    length = len(finite) if finite.all() else max(1, int(np.argmin(finite)))
    cut = {name: getattr(trajectory, name)[:length] for name in ("time", *names)}
    return replace(trajectory, **cut)


def _refuse_dead(network: TwoLayerNetwork, start: Parameters, data: Dataset) -> None:
    """Refuse a network none of whose neurons responds to any input."""
    for first in range(0, len(start.a), 1024):
        z = data.x @ start.w[first : first + 1024].T
        if network.unit(z).any() or network.unit_derivative(z).any():
            return
    count = len(start.a)
    who = "The neuron of this start is" if count == 1 else f"All {count} neurons of this start are"
    raise ArgumentError(
        f"{who} dead, with no response to any input of the data, so nothing can train. Take "
        "another seed, a larger width or another activation."
    )


def _label_mean(data: Dataset) -> Array | None:
    """z, or None where it is zero."""
    try:
        return label_mean(data.x, data.y)
    except ArgumentError:
        return None


def _stage_end(data: Dataset, activation: str) -> float | None:
    """Mean square error at the end of the initial stage, or None where it has none."""
    try:
        return stage_end(data, activation, PART)
    except ArgumentError:
        return None
