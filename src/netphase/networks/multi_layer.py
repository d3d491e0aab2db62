"""`MultiLayerNetwork`: ensembles of networks of any depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from netphase._checks import finite_array, instance_of, one_of, positive_int
from netphase._types import Array
from netphase.activations import Activation
from netphase.errors import ArgumentError
from netphase.networks.gains import layer_gains
from netphase.networks.layer_parameters import LayerParameters
from netphase.networks.passes import Signals, forward, gradient, output_factors, pushforward
from netphase.scalings import LayerScales

OutputKind = Literal["antisymmetric", "centred", "plain"]
"""How an output starts; see `MultiLayerNetwork`."""

OUTPUT_KINDS: tuple[OutputKind, ...] = get_args(OutputKind)
"""The values of `OutputKind`."""


@dataclass(frozen=True)
class MultiLayerNetwork:
    """x^[l] = σ(W^[l] x^[l−1]), l = 1 … L, and f = (1/α) W^[L+1] x^[L], for many networks at once.

    Written in W̄^[l] = W^[l]/β_l. The networks of an ensemble differ in their seeds and may differ
    in their scales; one for which every scale is the same has one `LayerScales`.

    Attributes:
        activation: σ.
        scales: β_l, η_l and α; or a tuple of them, of one depth and width.
        inputs: number of inputs d (the bias included), ≥ 1.
        widths: m_1 … m_L; by default the width of the scales for all. The scales are taken as they
            are, whatever the widths.
        outputs: number of outputs k, ≥ 1.
        kind: "antisymmetric" adds an opposite copy of the whole network, trained on its own,
            "centred" subtracts the output at the start, and both start at exactly zero; "plain"
            does neither.

    References:
        Li, Luo & Zhou (2024) for layers with scales of their own, as `LayerScales` writes them;
        Luo et al. (JMLR 2021) for the antisymmetric initialisation.

    Raises:
        ArgumentError: an attribute is of another type or out of its range, or depths differ.

    Example:
        >>> from netphase import activations
        >>> from netphase.networks import initial_layer_parameters
        >>> from netphase.scalings import layer_initialisation
        >>> scales = layer_initialisation("mup", depth=3, d=2).at_width(50)
        >>> network = MultiLayerNetwork(activations.get("tanh"), scales, inputs=2)
        >>> start = initial_layer_parameters(network, seeds=range(4))
        >>> [each.shape for each in start.weights]
        [(4, 2, 50, 2), (4, 2, 50, 50), (4, 2, 50, 50), (4, 2, 1, 50)]
        >>> bool(np.any(network.output(start, np.ones((3, 2)))))
        False
    """

    activation: Activation
    scales: LayerScales | tuple[LayerScales, ...]
    inputs: int
    widths: tuple[int, ...] = ()
    outputs: int = 1
    kind: OutputKind = "antisymmetric"

    def __post_init__(self) -> None:
        instance_of("activation", self.activation, Activation, "an Activation")
        instance_of("scales", self.scales, (LayerScales, tuple), "LayerScales, or a tuple of them")
        if self.scales == ():
            raise ArgumentError("Argument `scales` must not be empty, but is ().")
        for each in self.all_scales:
            instance_of("scales", each, LayerScales, "LayerScales, or a tuple of them")
        sizes = {(each.depth, each.width) for each in self.all_scales}
        if len(sizes) > 1:
            raise ArgumentError(
                "Argument `scales` must hold scales of one depth and width, but holds "
                f"{len(sizes)} kinds. Make one network of each."
            )
        positive_int("inputs", self.inputs)
        positive_int("outputs", self.outputs)
        one_of("kind", self.kind, OUTPUT_KINDS)
        instance_of("widths", self.widths, tuple, "a tuple of widths")
        for k, width in enumerate(self.widths):
            positive_int(f"widths[{k}]", width)
        if self.widths and len(self.widths) != self.depth:
            raise ArgumentError(
                f"Argument `widths` must have one entry a hidden layer, {self.depth}, but has "
                f"{len(self.widths)}."
            )

    @property
    def all_scales(self) -> tuple[LayerScales, ...]:
        """The scales as a tuple, of length one where all networks have the same."""
        return self.scales if isinstance(self.scales, tuple) else (self.scales,)

    @property
    def depth(self) -> int:
        """Number of hidden layers, L."""
        return self.all_scales[0].depth

    @property
    def layers(self) -> tuple[int, ...]:
        """m_0 … m_{L+1}: inputs, widths of the hidden layers, outputs."""
        hidden = self.widths or (self.all_scales[0].width,) * self.depth
        return (self.inputs, *hidden, self.outputs)

    @property
    def copies(self) -> int:
        """Copies of a network, c."""
        return 2 if self.kind == "antisymmetric" else 1

    @property
    def number_of_weights(self) -> int:
        """Weights of one network, all copies together."""
        sizes = self.layers
        return self.copies * sum(a * b for a, b in zip(sizes[1:], sizes[:-1], strict=True))

    def members(self, count: int) -> tuple[LayerScales, ...]:
        """The scales of every one of e networks: each entry of ``scales`` for e/len(scales) seeds.

        Args:
            count: e.

        Returns:
            e scales, the seeds of one after another.

        Raises:
            ArgumentError: ``count`` is no multiple of the number of scales.
        """
        few = self.all_scales
        if count % len(few):
            raise ArgumentError(
                f"Argument `parameters` must hold a multiple of {len(few)} networks, one a scaling "
                f"and seed, but holds {count}."
            )
        return tuple(each for each in few for _ in range(count // len(few)))

    def gains(self, count: int, dtype: np.dtype[np.floating]) -> tuple[Array | None, ...]:
        """What the passes multiply signals with: `passes.Gains`, as `gains.layer_gains` makes them.

        Args:
            count: number of networks e.
            dtype: precision.

        Returns:
            One array of shape (e, 1, 1, 1), or None for 1, a layer.

        Raises:
            ArgumentError: the scale of a layer is no number of this precision.
        """
        homogeneous = self.activation.homogeneous
        return layer_gains(self.members(count), self.layers, homogeneous, dtype)

    def mobilities(self, count: int) -> Array:
        """η_l/β_l², the learning rates of the normalised weights, float64, shape (e, L+1)."""
        return np.array(
            [np.divide(each.rates, np.square(each.betas)) for each in self.members(count)]
        )

    def output(self, parameters: LayerParameters, x: Array) -> Array:
        """The functions at some inputs.

        Args:
            parameters: the weights of e networks.
            x: inputs (with the column of ones, if the networks have a bias), shape (n, d).

        Returns:
            f(x), shape (e, n) for one output and (e, n, k) for more.

        Raises:
            ArgumentError: shapes do not fit, or an input is not finite.
        """
        values = self.signals(parameters, x, slopes=False).output
        if self.kind == "centred":
            centre = LayerParameters(parameters.centre, parameters.centre)
            values = values - self.signals(centre, x, slopes=False).output
        return self._samples_first(values)

    def signals(self, parameters: LayerParameters, x: Array, slopes: bool = True) -> Signals:
        """One forward pass: values and slopes of every layer, and the output that is not centred.

        Args:
            parameters: the weights of e networks.
            x: inputs, shape (n, d).
            slopes: whether σ′ is wanted, too.

        Returns:
            The signals, samples last; see `passes.Signals`.

        Raises:
            ArgumentError: as `output`.
        """
        weights = self.check(parameters)
        points = np.ascontiguousarray(self.check_inputs(x).T, dtype=weights[0].dtype)
        gains = self.gains(len(weights[0]), weights[0].dtype)
        return forward(weights, gains, points, self.activation, slopes)

    def gradient(self, parameters: LayerParameters, x: Array, cotangent: Array) -> LayerParameters:
        """Σ_ij r_ij ∂f_j(x_i)/∂W̄, the exact derivative backwards; a centre adds nothing to it.

        With r = (f − y)/n it is the gradient of R = (1/2n) Σ (f − y)².

        Args:
            parameters: the weights of e networks.
            x: inputs, shape (n, d).
            cotangent: r, with the shape of `output`.

        Returns:
            Derivatives by the normalised weights, with their shapes; no centre.

        Raises:
            ArgumentError: shapes do not fit, or an input is not finite.
        """
        signals = self.signals(parameters, x)
        weights = parameters.weights
        pull = self._samples_last(cotangent, signals.output)
        gains = self.gains(len(weights[0]), weights[0].dtype)
        return LayerParameters(gradient(weights, gains, signals, pull))

    def derivative(
        self, parameters: LayerParameters, x: Array, direction: LayerParameters
    ) -> Array:
        """The derivative of the output along a direction of the normalised weights.

        Args:
            parameters: the weights of e networks.
            x: inputs, shape (n, d).
            direction: of the shapes of ``parameters``.

        Returns:
            The derivative, with the shape of `output`.

        Raises:
            ArgumentError: shapes do not fit, or an input is not finite.
        """
        signals = self.signals(parameters, x)
        weights = parameters.weights
        moves = self._check_shapes("direction", direction.weights)
        if len(moves[0]) != len(weights[0]):
            raise ArgumentError(
                f"Argument `direction` must hold {len(weights[0])} networks, but holds "
                f"{len(moves[0])}."
            )
        gains = self.gains(len(weights[0]), weights[0].dtype)
        return self._samples_first(pushforward(weights, gains, signals, moves))

    def factors(
        self, parameters: LayerParameters, x: Array
    ) -> tuple[tuple[Array, ...], list[list[Array]]]:
        """The two factors of the derivatives ∂f_j(x_i)/∂W̄^[l] = Σ over copies of δ hᵀ.

        Args:
            parameters: the weights of e networks.
            x: inputs, shape (n, d).

        Returns:
            h, what layers 1 … L+1 take, shape (d, n) or (e, c, m, n); and for every output the δ
            of these layers, shape (e, c or 1, m, n).

        Raises:
            ArgumentError: shapes do not fit, or an input is not finite.
        """
        signals = self.signals(parameters, x)
        weights = parameters.weights
        gains = self.gains(len(weights[0]), weights[0].dtype)
        return signals.inputs, output_factors(weights, gains, signals)

    def check(self, parameters: LayerParameters) -> tuple[Array, ...]:
        """The weights, or an `ArgumentError` where they are not those of this network."""
        instance_of("parameters", parameters, LayerParameters, "LayerParameters")
        weights = self._check_shapes("parameters", parameters.weights)
        if self.kind == "centred":
            centre = self._check_shapes("parameters", parameters.centre)
            if len(centre[0]) != len(weights[0]):
                raise ArgumentError("Argument `parameters` must hold one centre a network.")
        elif parameters.centre:
            raise ArgumentError(
                f"Argument `parameters` must have no centre where the output is {self.kind}."
            )
        return weights

    def check_inputs(self, x: Array) -> Array:
        """Inputs of shape (n, d), or an `ArgumentError`."""
        checked = finite_array("x", x, 2)
        if checked.shape[1] != self.inputs:
            raise ArgumentError(
                f"Argument `x` must have {self.inputs} columns, the inputs of the network, but has "
                f"{checked.shape[1]}."
            )
        return checked

    def _check_shapes(self, name: str, weights: tuple[Array, ...]) -> tuple[Array, ...]:
        sizes = self.layers
        wanted = [(self.copies, *pair) for pair in zip(sizes[1:], sizes[:-1], strict=True)]
        given = [np.shape(each) for each in weights]
        counts = {shape[:1] for shape in given}
        if [shape[1:] for shape in given] != wanted or len(counts) != 1 or given[0][0] < 1:
            shown = ", ".join(f"(e, {', '.join(map(str, shape))})" for shape in wanted)
            raise ArgumentError(
                f"Argument `{name}` must hold weights of the shapes {shown}, but holds "
                f"{', '.join(map(str, given)) or 'none'}."
            )
        kinds = {each.dtype for each in weights}
        if len(kinds) > 1 or kinds.pop() not in (np.float64, np.float32):
            raise ArgumentError(
                f"Argument `{name}` must hold weights all in float64 or all in float32."
            )
        return weights

    def _samples_first(self, values: Array) -> Array:
        """From (e, k, n) to the shape of `output`."""
        return values[:, 0] if self.outputs == 1 else np.ascontiguousarray(values.swapaxes(1, 2))

    def _samples_last(self, cotangent: Array, output: Array) -> Array:
        e, k, n = output.shape
        shape = (e, n) if self.outputs == 1 else (e, n, k)
        if np.shape(cotangent) != shape:
            raise ArgumentError(
                f"Argument `cotangent` must have the shape {shape} of the output, but has "
                f"{np.shape(cotangent)}."
            )
        pull = np.asarray(cotangent, dtype=output.dtype).reshape(e, n, k)
        return np.ascontiguousarray(pull.swapaxes(1, 2))
