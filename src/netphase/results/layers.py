"""What a sweep over two exponents of deep networks records of every run."""

from __future__ import annotations

from netphase.errors import ArgumentError
from netphase.results.schema import Axis, Quantity, Schema
from netphase.scalings import layer_axes


def layer_schema(depth: int, axes: tuple[str, str]) -> Schema:
    """Axes and scalars of a sweep over two exponents of networks of L hidden layers.

    Args:
        depth: L ≥ 1.
        axes: names of the exponents along x and along y, as `scalings.layer_axes` lists them.

    Returns:
        The schema; its dimensions are y, x, width and seed.

    Raises:
        ArgumentError: an axis is unknown, or both are the same.

    Example:
        >>> layer_schema(2, ("gamma", "g3")).dims
        ('g3', 'gamma', 'width', 'seed')
    """
    known = layer_axes(depth)
    if len(axes) != 2 or axes[0] == axes[1] or not set(axes) <= known.keys():
        raise ArgumentError(
            f"Argument `axes` must hold two different names out of {', '.join(known)}, but is "
            f"{axes!r}."
        )
    x, y = axes
    return Schema(
        title=f"netphase sweep over {x} and {y} of networks of {depth} hidden layers",
        axes=(
            Axis(y, "float64", known[y]),
            Axis(x, "float64", known[x]),
            Axis("width", "int64", "width m: neurons of every hidden layer of one copy"),
            Axis("seed", "int64", "integer seed of the initial parameters"),
        ),
        plane=(y, x),
        quantities=(
            Quantity("status", "1", "why the run ended"),
            *_changes(depth),
            Quantity("kernel_change", "1", "relative change of the tangent kernel"),
            Quantity("alignment_start", "1", "alignment of the tangent kernel with y at the start"),
            Quantity("alignment_end", "1", "alignment of the tangent kernel with y at the end"),
            Quantity("mean_square", "target units squared", "final mean square error (1/n) Σ e²"),
            Quantity("kappa", "1", "κ = (1/α) Π √m β_l"),
            Quantity("time", "1", "final time t, in which layer l moves with its rate η_l"),
            Quantity("steps", "1", "accepted steps"),
            Quantity("rejected", "1", "rejected steps"),
            Quantity("largest_sharpness", "1", "largest h λ_max / 2, 1 at the edge of stability"),
            Quantity("wall_seconds", "s", "wall-clock time of the run", provenance=True),
        ),
    )


def _changes(depth: int) -> list[Quantity]:
    """Changes of every matrix and of every hidden representation."""
    found = [
        Quantity(f"{norm}_change_{k}", "1", f"relative change of W^[{k}] in the {norm} norm")
        for norm in ("operator", "frobenius")
        for k in range(1, depth + 2)
    ]
    for name, what in (("feature", "x^[{}]"), ("feature_gram", "the Gram matrix of x^[{}]")):
        found += [
            Quantity(f"{name}_change_{k}", "1", f"relative change of {what.format(k)} on the data")
            for k in range(1, depth + 1)
        ]
    return found
