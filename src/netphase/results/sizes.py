"""What a sweep over widths and sample sizes records of every run."""

from __future__ import annotations

from netphase.results.schema import Axis, Quantity, Schema

_SQUARE = "target units squared"

SIZES = Schema(
    title="netphase sweep over widths and sample sizes",
    axes=(
        Axis("scaling", "float64", "γ, from κ = m^(−γ): 0 conventional, 1 mean-field"),
        Axis("sample", "int64", "number n of samples"),
        Axis("width", "int64", "width m: neurons of the network"),
        Axis("seed", "int64", "integer seed of the data and of the initial parameters"),
    ),
    plane=("scaling", "sample", "width"),
    quantities=(
        Quantity("status", "1", "why the run ended"),
        Quantity("test_error", _SQUARE, "exact test error E (f − f*)² of the network"),
        Quantity("train_error", _SQUARE, "final mean square error (1/n) Σ e² of the network"),
        Quantity("rf_test_error", _SQUARE, "exact test error of its random-feature twin"),
        Quantity("rf_train_error", _SQUARE, "mean square error (1/n) Σ e² of its twin"),
        Quantity("path_norm", "target units", "path norm Σ |p_j|, p_j = κ a_j |w_j|"),
        Quantity("effective_number", "1", "N2 = (Σ |p|)² / Σ p², neurons that share the function"),
        Quantity("effective_number_4", "1", "N4 = (Σ p²)² / Σ p⁴, which counts large ones only"),
        Quantity("largest_contribution", "target units", "largest |p_j|"),
        Quantity("teacher_cosine", "1", "cosine of the neuron of largest |p_j| with the teacher"),
        Quantity("mean_rotation", "rad", "mean angle between w_j and its start"),
        Quantity("relative_change_w", "1", "final relative change of the input weights"),
        Quantity("max_relative_change_w", "1", "largest relative change of the input weights"),
        Quantity("time", "1", "final time t (β1 = β2 = 1)"),
        Quantity("steps", "1", "accepted steps"),
        Quantity("rejected", "1", "rejected steps"),
        Quantity("gradients", "1", "evaluations of the gradient"),
        Quantity("wall_seconds", "s", "wall-clock time of the run", provenance=True),
    ),
)
"""Axes and scalars of the sweeps over network width and number of samples."""
