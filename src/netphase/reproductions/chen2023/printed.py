"""What the literature documents on initial condensation, each number with its place.

"Zhou" is Zhou, Zhou, Luo, Zhang, Xu, Towards understanding the condensation of neural networks at
initial training (NeurIPS 2022, arXiv 2105.11686), whose figures Chen et al. (2023) build on.
"""

from __future__ import annotations

STDS = (5e-3, 5e-4, 5e-5)
"""Standard deviations of all weights; the first one is that of Zhou's figures with two layers."""

WIDTH = 50
EPOCH = 100
RATES = {
    "tanh": 1e-3,
    "x_tanh": 1e-3,
    "x2_tanh": 1e-3,
    "relu": 1e-3,
    "sigmoid": 8e-4,
    "softplus": 2.5e-4,
}
"""Zhou Fig. 2: activation → learning rate of Adam; sums of five sines, m = 50, epoch 100."""

LINES = {"tanh": 1, "x_tanh": 2, "x2_tanh": 3, "sigmoid": 1, "softplus": 1}
"""Zhou Fig. 2: lines (a direction and its opposite) that the pictures show."""

RELU_DIRECTIONS = 3
"""Zhou Fig. 2: directions of ReLU, two of them opposite."""

LOW_FREQUENCY, LOW_LINES = 2.0, 2
"""Zhou Fig. 4a: sines of frequency 2 in place of 5; three directions, two opposite: two lines."""

DIGITS_WIDTH, DIGITS_STD, DIGITS_RATE, DIGITS_LINES = 30, 1e-3, 5e-5, 1
"""Zhou Fig. 4b: MNIST with x² tanh x, epoch 100."""

POLYNOMIAL_WIDTH, POLYNOMIAL_RATE, POLYNOMIAL_SAMPLES = 100, 5e-4, 40
POLYNOMIAL_RANGE = (-1.0, 1.5)
POLYNOMIAL_EPOCH, FIELD_EPOCH = 1000, 200
"""Zhou Figs 5 and 6: one input, sin(3x) + sin(6x)/2, std 0.005."""

DEGREES = {"tanh": 1, "x_tanh": 2, "x2_tanh": 3}
"""Zhou Fig. 5: degree of the polynomial that the output is; Fig. 6: stable lines of the field."""

RESIDUAL_ACTIVATIONS = ("x2_tanh", "x_tanh", "sigmoid", "tanh", "softplus")
RESIDUAL_EPOCHS = (1000, 900, 900, 1400, 1400)
RESIDUAL_LINES = (3, 2, 1, 1, 1)
RESIDUAL_WIDTH, RESIDUAL_STD, RESIDUAL_RATE = 18, 1e-2, 4e-5
RESIDUAL_SINES = "sines?n=80&inputs=3&frequency=12&amplitude=4&bias=false"
"""Zhou Fig. 3: six layers with residual connections; activation, epoch, lines of layers 1 to 5."""

MEDIANS = {5e-3: 0.96, 5e-4: 0.997, 5e-5: 0.998}
"""Standard deviation → least median |cos(w, z)| at the end of the initial stage, one data set."""
