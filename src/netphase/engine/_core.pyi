"""Types of the compiled engine; use it through `netphase.engine`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from netphase._types import Array

_Double = Array  # float64, C-contiguous
_Words = npt.NDArray[np.uint64]  # (4, 8)

def descend(
    x: _Double,
    y: _Double,
    a: Array,
    w: Array,
    *,
    activation: int | None,
    scale: float,
    mobility_a: float,
    mobility_w: float,
    learning_rate: float,
    pace: float,
    growth: float,
    accuracy: float,
    stability: float,
    rotation: float,
    drift_limit: float,
    target: float,
    end_time: float,
    max_steps: int,
    stagnation: float,
    tracked: int,
    record_ratio: float,
) -> dict[str, Any]: ...
def flow(
    x: _Double,
    y: _Double,
    a: _Double,
    w: _Double,
    *,
    activation: int,
    output_scale: float,
    mobility_a: float,
    mobility_w: float,
    rtol: float,
    target: float,
    end_time: float,
    max_steps: int,
    stagnation: float,
    tracked: int,
    times: _Double | None,
) -> dict[str, Any]: ...
def overlaps(
    a: _Double,
    s: _Double,
    weights: _Double,
    activation: _Double,
    target: _Double,
    times: _Double,
    *,
    speed: float,
    tied: bool,
    rtol: float,
    max_steps: int,
) -> dict[str, Any]: ...
def deep_steps(
    weights: Array,
    x: Array,
    target: Array,
    centre: Array | None,
    gains: Array,
    factors: Array,
    values: Array,
    slopes: Array,
    output: Array,
    residual: Array,
    steps: npt.NDArray[np.int64],
    squares: Array,
    ceilings: Array,
    *,
    sizes: list[int],
    copies: int,
    activation: int,
    floor: float,
    falling: bool,
    threads: int,
) -> None: ...
def request_stop(stop: bool) -> None: ...
def activation(code: int, order: int, z: Array) -> Array: ...
def fma_gflops(seconds: float, single: bool) -> float: ...
def triad_gbytes(bytes: int, seconds: float) -> float: ...
def build_info() -> dict[str, Any]: ...

class Population:
    def __init__(
        self,
        m: int,
        target_a: _Double,
        target_c: _Double,
        sphere_value: _Double,
        sphere_slope: _Double,
        *,
        slope: float,
        target_slope: float,
        scale: float,
        mobility_a: float,
        mobility_w: float,
        sphere: int,
        sphere_weight: float,
        square: float,
        power: float,
    ) -> None: ...
    def velocity(self, u: _Double) -> tuple[float, _Double]: ...
    def march(
        self, u: _Double, flow: _Double, step: float, count: int, low: float, high: float
    ) -> tuple[_Double, _Double, float, int]: ...
    def chebyshev(
        self, u: _Double, flow: _Double, step: float, coefficients: _Double, fractions: _Double
    ) -> tuple[_Double, _Double]: ...

class Sgd:
    def __init__(
        self,
        a: _Double,
        w: _Double,
        data: _Words,
        labels: _Words,
        *,
        inputs: int,
        batch: int,
        room: int,
        rate_a: float,
        rate_w: float,
        noise: float,
        activation: int,
        scale: float,
        shift: float,
        activation_series: _Double,
        target: int,
        target_scale: float,
        target_shift: float,
        target_series: _Double,
    ) -> None: ...
    def advance(self, steps: int) -> int: ...
    def state(self) -> tuple[_Double, _Double]: ...

class Normals:
    def __init__(self, words: _Words) -> None: ...
    def pairs(self, count: int) -> _Double: ...
    def chi(self, degrees: _Double) -> _Double: ...
