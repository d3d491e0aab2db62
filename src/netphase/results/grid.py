"""What a sweep over the (γ, γ′) plane of the scales records of every run."""

from __future__ import annotations

from netphase.results.schema import Axis, Quantity, Schema


def _changes() -> list[Quantity]:
    blocks = {"w": "input weights", "a": "output weights", "theta": "all weights (normalised)"}
    return [
        Quantity(f"{prefix}relative_change_{block}", "1", f"{words} relative change of the {what}")
        for prefix, words in (("", "final"), ("max_", "largest"))
        for block, what in blocks.items()
    ]


PLANE = Schema(
    title="netphase sweep over the (γ, γ') plane",
    axes=(
        Axis("gamma", "float64", "γ, from κ = β1 β2 / α = m^(−γ)"),
        Axis("gamma_prime", "float64", "γ', from κ' = β1 / β2 = m^(−γ')"),
        Axis("width", "int64", "width m: neurons of one copy of the network"),
        Axis("seed", "int64", "integer seed of the initial parameters"),
    ),
    plane=("gamma", "gamma_prime"),
    quantities=(
        Quantity("status", "1", "why the run ended"),
        *_changes(),
        Quantity("mean_square", "target units squared", "final mean square error (1/n) Σ e²"),
        Quantity("time", "β1 β2", "final time on the normalised clock"),
        Quantity("steps", "1", "accepted steps"),
        Quantity("rejected", "1", "rejected steps"),
        Quantity("gradients", "1", "evaluations of the gradient"),
        Quantity("solves", "1", "linear solves"),
        Quantity("active_neurons", "1", "neurons with an amplitude above 5 % of the largest"),
        Quantity("direction_clusters", "1", "directions (cosine > 0.95) among the active neurons"),
        Quantity("entropy_number", "1", "exponential entropy of the amplitude over directions"),
        Quantity(
            "participation_ratio", "1", "participation ratio of the amplitude over directions"
        ),
        Quantity("effective_rank", "1", "effective rank of the amplitude-weighted directions"),
        Quantity("alignment_ratio", "1", "ρ, the share of the input weights along Σ y_i x_i"),
        Quantity("wall_seconds", "s", "wall-clock time of the run", provenance=True),
    ),
)
"""Axes and scalars of the sweeps over the exponents of the scales."""
