"""How fast limiting kernels become singular as the pre-activations of a network shrink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from netphase import activations
from netphase._checks import finite_array, positive_float, positive_int
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.kernels.deep import INTEGRATED, deep_kernels
from netphase.kernels.modes import above_rounding
from netphase.scalings import LayerScales

_MOST = 12  # degree up to which derivatives at zero are told from rounding
_RADII = 0.8 * 0.5 ** (np.arange(17) / 2)  # the first on which interpolation holds σ is taken
_NODES = 10  # in z², for the even and for the odd part of σ
_TAIL = 1e-13  # most that the last two terms of an interpolation that holds σ have of it
_ROUNDING = 1e-9


def degeneracy_exponent(
    x: Array, activation: str | Activation, depth: int = 1, layer: int | None = None
) -> int:
    """The exponent p of λ_min ~ ε^p as β_1 = ε (or the size of all inputs) tends to zero.

    All other gains are kept. A kernel then depends on εx alone, and tells inputs apart by
    polynomials of x: those of degree k have the weight ε^(2k). With q the least degree for which
    the polynomials up to q that the kernel contains take independent values at the n inputs,
    λ_min(K^[l]) ~ ε^(2(q−1)). Homogeneous polynomials of degree k in d variables are
    C(d+k−1, k); with a bias among the inputs they are all polynomials up to degree k. Which degrees
    there are:

    - K^[2] of one hidden layer: the k with σ⁽ᵏ⁾(0) ≠ 0; K^[1]: the same without k = 0;
    - deeper: sums of as many degrees of the layer before as σ has degrees; any number of them
      where σ(0) ≠ 0, so that pre-activations stay of size one;
    - K^[l]: sums of one degree of S^[l−1] and one each of D^[l] … D^[L], which are those of σ′.

    So λ_min stays where n inputs in n or more dimensions are independent and σ′(0) ≠ 0, falls as
    ε⁴ for tanh and n up to d + C(d+2, 3), and as ε² where σ has degree 2, as GELU. In the whole Θ
    of equal learning rates K^[1] has the weight 1 and the others ε². ReLU-type σ: 0, as long as the
    kernel is not singular at any ε.

    Degrees are found by interpolating σ on the largest interval |z| ≤ .8 … .003 on which 20 terms
    hold it. Terms below 1e-9 of σ there do not count: σ = sin(z/3) has degrees up to 7 only.

    At the other end, large pre-activations of size p, bounded activations let D^[l] fall as 1/p on
    the diagonal and 1/p² off it: hidden layers drop out of Θ, and S^[l] tends to the kernel of a
    sign, which is not singular.

    Args:
        x: inputs, shape (n, d).
        activation: name or `Activation`, homogeneous or with a Taylor series at zero.
        depth: number of hidden layers, L ≥ 1.
        layer: l of K^[l], from 1 to L+1; None for the whole Θ.

    Returns:
        p ≥ 0, even; p = −2 where q = 0, for one input and σ(0) ≠ 0.

    Raises:
        ArgumentError: an argument is out of its range; no polynomials up to degree 12 in the
            kernel tell the inputs apart: equal inputs, opposite ones for odd or even σ, or too
            many; a homogeneous σ has a singular kernel: proportional inputs, or one is zero; or σ
            is constant near zero, or too steep or not smooth enough there.

    References:
        Derived; the flat limit of kernels is treated so by Driscoll & Fornberg (2002).

    Example:
        >>> x = np.random.default_rng(0).standard_normal((6, 3))
        >>> [degeneracy_exponent(x, name) for name in ("relu", "gelu", "tanh")]
        [0, 2, 4]
    """
    inputs = finite_array("x", x, 2).astype(np.float64)
    hidden = positive_int("depth", depth)
    _check_layer(layer, hidden)
    sigma = activations.get(activation)
    if sigma.homogeneous:
        _check_regular(inputs, sigma, hidden, layer)
        return 0
    degrees = _degrees(sigma, hidden)
    if layer is not None:
        return 2 * _degree_needed(inputs, [(k, k) for k in degrees[layer - 1]]) - 2
    first = [(k, k - 1) for k in degrees[0]]
    return 2 * _degree_needed(inputs, first + [(k, k) for part in degrees[1:] for k in part])


def shrinking_eigenvalues(
    x: Array,
    activation: str | Activation,
    sizes: Array,
    depth: int = 1,
    layer: int | None = None,
) -> Array:
    """λ_min of a limiting kernel against β_1 = ε, to be compared with `degeneracy_exponent`.

    Args:
        x: inputs, shape (n, d), no row zero.
        activation: name or `Activation`.
        sizes: values of ε > 0, shape (e,).
        depth: number of hidden layers, L ≥ 1; all other gains α_2 … α_{L+1} are one.
        layer: l of K^[l]; None for the whole Θ with learning rates one.

    Returns:
        λ_min, shape (e,); 0 where it is lost in rounding.

    Raises:
        ArgumentError: a size is not positive, another argument is out of its range, or as
            `deep_kernels`.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((6, 3))
        >>> least = shrinking_eigenvalues(x, "gelu", np.array([0.02, 0.01]))
        >>> round(float(np.log2(least[0] / least[1])), 2)
        2.0
    """
    hidden = positive_int("depth", depth)
    _check_layer(layer, hidden)
    scales = _equal_scales(hidden)
    found = []
    for k, size in enumerate(finite_array("sizes", sizes, 1)):
        epsilon = positive_float(f"sizes[{k}]", float(size))
        found.append(shrunk_eigenvalues(x, scales, activation, epsilon, layer)[0])
    return np.array(found)


def shrunk_eigenvalues(
    x: Array,
    scales: LayerScales,
    activation: str | Activation,
    factor: float,
    layer: int | None = None,
) -> Array:
    """Eigenvalues of a limiting kernel with β_1 multiplied by ε.

    Args:
        x: inputs, shape (n, d), no row zero.
        scales: those without ε.
        activation: name or `Activation`.
        factor: ε > 0.
        layer: l of K^[l], from 1 to L+1; None for the whole Θ.

    Returns:
        Ascending, shape (n,); those of the size of rounding are 0.

    Raises:
        ArgumentError: as `deep_kernels`.
    """
    betas = (factor * scales.betas[0], *scales.betas[1:])
    kernels = deep_kernels(x, msgspec.structs.replace(scales, betas=betas), activation)
    if layer is None:
        return kernels.eigenvalues
    return above_rounding(np.linalg.eigvalsh(kernels.kernels[layer - 1]), INTEGRATED)


def _degrees(sigma: Activation, depth: int) -> list[set[int]]:
    """Degrees of the polynomials in K^[1] … K^[L+1]."""
    active = _active(sigma)
    slope = {k - 1 for k in active if k}
    values, slopes = [{1}], []  # x itself, then the features of every hidden layer
    for _ in range(depth):
        below = values[-1]
        offset = 0 in below  # random pre-activations of size one: every derivative counts
        values.append(_composed(range(max(active) + 1) if offset else active, below))
        slopes.append(_composed(range(max(slope) + 1) if offset else slope, below))
    found, behind = [values[-1]], {0}
    for before, each in zip(values[-2::-1], slopes[::-1], strict=True):
        behind = _sums(behind, each)
        found.append(_sums(before, behind))
    return found[::-1]


def _active(sigma: Activation) -> set[int]:
    """The degrees k ≤ 12 with σ⁽ᵏ⁾(0) ≠ 0."""
    if not sigma.smooth:
        raise ArgumentError(
            f"Argument `activation` must be homogeneous or have derivatives at zero, but "
            f"{sigma.name!r} has neither."
        )
    for radius in _RADII:
        found = _active_within(sigma, float(radius))
        if found is None:
            continue
        if not found - {0}:
            raise ArgumentError("Argument `activation` must not be constant near zero.")
        return found
    raise ArgumentError(
        f"Argument `activation` must have a Taylor series at zero, but {sigma.name!r} is not "
        f"smooth enough there, or steeper than polynomials hold on |z| ≤ {_RADII[-1]:.1g}."
    )


def _active_within(sigma: Activation, radius: float) -> set[int] | None:
    """The degrees by interpolation on |z| ≤ radius, None where that does not hold σ."""
    t = np.polynomial.chebyshev.chebpts1(_NODES)
    z = radius * np.sqrt((1 + t) / 2)
    above, below = sigma.value(z), sigma.value(-z)
    size = max(np.abs(above).max(), np.abs(below).max())
    even, odd = (above + below) / 2, (above - below) / 2
    taylor = np.zeros(_MOST + 2)
    for parity, part in ((0, even), (1, odd * radius / z)):
        exact = np.where(np.abs(part) > 4e-16 * size, part, 0.0)
        series = _chebyshev_series(t, exact)
        if np.abs(series[-2:]).max() > _TAIL * size:
            return None
        taylor[parity::2] = np.abs(_powers(series))[: _MOST // 2 + 1]
    return {int(k) for k in np.flatnonzero(taylor[: _MOST + 1] > _ROUNDING * size)}


def _chebyshev_series(t: Array, values: Array) -> Array:
    """Coefficients of the polynomial through ``values`` at Chebyshev nodes t."""
    cosines = np.cos(np.outer(np.arange(len(t)), np.arccos(t)))
    series = 2 / len(t) * (cosines @ values)
    series[0] /= 2
    return np.asarray(series)


def _powers(series: Array) -> Array:
    """Coefficients in s = (1 + t)/2 of a Chebyshev series in t."""
    series = series.copy()
    series[np.abs(series) < 4e-16 * np.abs(series).max()] = 0.0  # rounding, which powers amplify
    in_t = np.polynomial.Polynomial(np.polynomial.chebyshev.cheb2poly(series))
    found = np.zeros(len(series))
    coefficients = in_t(np.polynomial.Polynomial([-1.0, 2.0])).coef
    found[: len(coefficients)] = coefficients
    return found


def _composed(terms: Iterable[int], degrees: set[int]) -> set[int]:
    """Degrees of the products of j polynomials of positive degree, j in ``terms``."""
    found, reached = set(), {0}
    positive = degrees - {0}
    wanted = set(terms)
    for count in range(max(wanted) + 1):
        if count in wanted:
            found |= reached
        reached = _sums(reached, positive)
    return found


def _sums(one: set[int], other: set[int]) -> set[int]:
    return {a + b for a in one for b in other if a + b <= _MOST}


def _degree_needed(x: Array, terms: Sequence[tuple[int, int]]) -> int:
    """The least order at which polynomials of the given (degree, order) have rank n at ``x``."""
    x = x / (np.abs(x).max() or 1.0)  # the squares of which may leave the range of a float
    x = x / (np.linalg.norm(x, axis=1).max() or 1.0)
    values = _homogeneous(x, max((k for k, _ in terms), default=0))
    span: Array = np.zeros((len(x), 0))
    for order in sorted({order for _, order in terms}):
        new = [values[k] for k in sorted({k for k, at in terms if at == order})]
        span = _basis(np.hstack([span, *new]))
        if span.shape[1] == len(x):
            return order
    raise ArgumentError(
        f"Argument `x` must hold inputs that polynomials up to degree {_MOST} in the kernel tell "
        f"apart, but these have rank {span.shape[1]} for {len(x)} inputs: some are equal, or "
        "opposite, or there are too many."
    )


def _homogeneous(x: Array, most: int) -> list[Array]:
    """Bases of the values at ``x`` of homogeneous polynomials of degree 0 … most."""
    found: list[Array] = [np.ones((len(x), 1))]
    for _ in range(most):
        found.append(_basis(np.hstack([column[:, None] * found[-1] for column in x.T])))
    return found


def _basis(columns: Array) -> Array:
    """An orthonormal basis of the space that columns span."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-9 * sizes.max(initial=0.0)])


def _check_regular(x: Array, sigma: Activation, depth: int, layer: int | None) -> None:
    """Refuses inputs at which the kernel of a homogeneous σ is singular at any ε."""
    size = np.linalg.norm(x / (np.abs(x).max() or 1.0), axis=1)
    unit = x / (np.abs(x).max() or 1.0) / np.where(size > 0.0, size, 1.0)[:, None]
    if shrunk_eigenvalues(unit, _equal_scales(depth), sigma, 1.0, layer)[0] == 0.0:
        raise ArgumentError(
            "Argument `x` must hold inputs that the kernel tells apart, but it is singular for "
            "these: some are equal or proportional, or there are too many."
        )


def _equal_scales(depth: int) -> LayerScales:
    """All gains and learning rates one."""
    return LayerScales(1, (1.0,) * (depth + 1), (1.0,) * (depth + 1))


def _check_layer(layer: int | None, depth: int) -> None:
    if layer is not None and positive_int("layer", layer) > depth + 1:
        raise ArgumentError(
            f"Argument `layer` must be at most {depth + 1} for {depth} hidden layers, but is "
            f"{layer}."
        )
