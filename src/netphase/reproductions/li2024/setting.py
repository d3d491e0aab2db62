"""What is run for Li, Luo & Zhou (arXiv 2404.04859): data, scalings, and numbers to hold them to.

The text of the paper could not be had. Its statements are reconstructed from abstracts, worked out
anew and checked by other means than this program; figures are numbered here by subject, and
settings are ours. "Reconstruction" with a number names the items of that work:

1. κ = (1/α) Π_l √m β_l decides: θ-lazy where lim log κ/log m > 0 (found in the abstract).
2. A layer changes by p_l/κ in the operator norm, p_l its share of the tangent kernel (derived).
3. Inner matrices change by another m^(−1/2) less in the Frobenius norm (derived).
4. Limiting kernels K^[l] and the tangent kernel Σ_l η_l κ²/α_l² K^[l] (abstract, and derived).
5. R(t) ~ exp(−2 λ_min t/n), twice as fast with an antisymmetric copy (derived).
6. Small pre-activations make K degenerate, λ_min ~ ε^(2(q−1)) (derived).
7. The table of known initialisations (derived; depth one is Table 1 of Luo et al. 2021).
8. Three layers of equal scale: S = γ − L/2 below γ = L/2 and (γ − L/2)/L above, with L = 3 layers
   of weights (derived, after Zhou et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.reproductions.reproduction import Size
from netphase.scalings import LayerScaling, layer_initialisation, uniform_scaling

INPUTS = 4
"""Number of inputs d; as many as samples, so that small pre-activations, where networks are
linear, can fit the data, too."""

COSINES = np.array(
    [[1.0, 0.4, 0.1, 0.1], [0.4, 1.0, 0.1, 0.1], [0.1, 0.1, 1.0, 0.2], [0.1, 0.1, 0.2, 1.0]]
)
"""Gram matrix of the inputs: well conditioned, and its least eigenvalue, 0.6, is a simple one, so
that the slowest mode of every kernel is x_1 − x_2."""

TARGETS = np.array([1.0, -0.6, 0.8, 0.5])

TARGET = 0.5
"""Root mean square of the targets: of order one, and such that no layer has to move far."""


@dataclass(frozen=True)
class Data:
    """Inputs of unit norm, and targets of one root mean square.

    Attributes:
        x: inputs, shape (n, d).
        y: targets, shape (n,).
    """

    x: Array
    y: Array

    @property
    def square(self) -> float:
        """Mean square of the targets, with which training starts."""
        return float(np.mean(self.y**2))


def data(size: float = TARGET) -> Data:
    """Four unit vectors of given cosines in four dimensions, and four targets.

    Args:
        size: root mean square of y.

    Returns:
        The data.
    """
    return Data(np.linalg.cholesky(COSINES), size * TARGETS / np.sqrt(np.mean(TARGETS**2)))


WIDTHS: dict[Size, dict[int, tuple[int, ...]]] = {
    "smoke": dict.fromkeys((1, 2, 3), (32, 64, 128)),
    "small": {
        1: (64, 128, 256, 512, 1024),
        2: (64, 128, 256, 512, 1024),
        3: (64, 128, 256, 512),
    },
    "paper": dict.fromkeys((1, 2, 3), (64, 128, 256, 512, 1024, 2048)),
}
"""L → m of the slopes."""

SEEDS: dict[Size, int] = {"smoke": 4, "small": 8, "paper": 16}

FITTED = 1e-4
"""Training ends when the mean square has fallen to this part of its start."""

NAMED = ("lecun", "xavier", "ntk", "mean_field", "mup", "mup_one_rate", "multilayer_mean_field")
UNIFORM = (0.25, 0.75)
OTHERS = {
    1: ((0.25, 0.5), (0.0, 0.75)),
    2: ((0.25, 0.5, 0.5), (0.0, 0.75, 0.5), (0.0, 0.5, 0.75)),
    3: ((0.25, 0.5, 0.5, 0.5), (0.0, 0.75, 0.5, 0.5), (0.0, 0.5, 0.5, 0.75)),
}


def scalings(depth: int, activation: str) -> list[tuple[str, LayerScaling]]:
    """The scalings of the slopes at one depth, by name: those that theory covers.

    Pre-activations of tanh that grow saturate: at the start where the scales make them grow with
    the width, in training where the network is below the boundary. Theory is that of networks
    whose pre-activations stay of order one, or of homogeneous activations.
    """
    names = [(plain(name), layer_initialisation(name, depth, INPUTS)) for name in NAMED]
    even = [(f"std m^−{c:g}", uniform_scaling(depth, c)) for c in UNIFORM]
    own = [(f"g = {_words(g)}", LayerScaling(g=g)) for g in OTHERS[depth]]
    found: dict[LayerScaling, str] = {}
    for name, scaling in names + even + own:
        if activation == "relu" or not saturates(scaling):
            found.setdefault(scaling, name)  # for one hidden layer some are the same
    return [(name, scaling) for scaling, name in found.items()]


def saturates(scaling: LayerScaling) -> bool:
    """Whether a bounded activation saturates as the width grows, at the start or in training."""
    sizes = np.cumsum([-scaling.g[0], *(0.5 - each for each in scaling.g[1:-1])])
    return scaling.log_m_kappa < 0 or float(sizes.max()) > 0


PLAIN = {
    "lecun": "LeCun",
    "he": "He",
    "pytorch": "PyTorch",
    "xavier": "Xavier",
    "ntk": "NTK",
    "mean_field": "mean field",
    "mup": "μP",
    "mup_one_rate": "μP, one rate",
    "multilayer_mean_field": "1/m a layer",
}


def plain(name: str) -> str:
    """A named initialisation as a figure writes it."""
    return PLAIN[name]


def _words(g: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{each:g}".replace("0.", ".") for each in g) + ")"


LAZY, BOUNDARY, BELOW = "θ-lazy", "boundary", "below"


@dataclass(frozen=True)
class Row:
    """A row of the table of initialisations.

    Attributes:
        name: of the initialisation.
        scaling: L → its scales.
        kappa: L → lim log κ/log m, as the table has it.
        depths: numbers of hidden layers it is for.
    """

    name: str
    scaling: Callable[[int], LayerScaling]
    kappa: Callable[[int], float]
    depths: tuple[int, ...] = (1, 2, 3)

    def verdict(self, depth: int) -> str:
        """θ-lazy, boundary or below, as the table has it."""
        kappa = self.kappa(depth)
        return LAZY if kappa > 0 else BOUNDARY if kappa == 0 else BELOW


def _named(name: str) -> Callable[[int], LayerScaling]:
    return lambda depth: layer_initialisation(name, depth, INPUTS)


def _even(c: float) -> Row:
    return Row(
        f"std m^−{c:g}", lambda depth: uniform_scaling(depth, c), lambda L: (L + 1) * (0.5 - c)
    )


def _output(g: float) -> Row:
    return Row(
        f"β = 1, output m^−{g:g}", lambda _: LayerScaling(g=(0.0, g)), lambda _: 1.0 - g, (1,)
    )


TABLE = (
    *(Row(plain(name), _named(name), lambda _: 0.5) for name in ("lecun", "pytorch", "he", "ntk")),
    *(
        Row(plain(name), _named(name), lambda _: 0.0)
        for name in ("xavier", "mean_field", "mup", "mup_one_rate")
    ),
    Row(
        plain("multilayer_mean_field"),
        _named("multilayer_mean_field"),
        lambda depth: (1 - depth) / 2,
    ),
    _output(0.75),
    _output(1.25),
    _even(0.25),
    _even(0.5),
    _even(0.75),
    Row("std 0.1", lambda depth: uniform_scaling(depth, 0.0, 0.1), lambda depth: (depth + 1) / 2),
)
"""Reconstruction 7. The rows of one exponent stand for their families."""
