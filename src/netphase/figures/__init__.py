"""Figures: labelled results in, a matplotlib figure out; nothing here runs a network."""

from netphase.figures.animation import condensation_animation
from netphase.figures.clouds import cloud_grid, draw_cloud, feature_cloud
from netphase.figures.condensation import (
    alignment_histograms,
    condensation_counts,
    cosine_heat_map,
)
from netphase.figures.curves import (
    change_against_width,
    draw_output,
    exponents_against_gamma,
    network_output,
    training_curves,
)
from netphase.figures.diagram import phase_diagram
from netphase.figures.directions import direction_field, direction_strengths
from netphase.figures.film import animation_writer, save_animation
from netphase.figures.kernel_spectra import kernel_spectra, least_eigenvalues, loss_decay
from netphase.figures.kernels import kernel_errors, layer_shares
from netphase.figures.layer_changes import layer_changes
from netphase.figures.layer_norms import feature_maps, norm_maps
from netphase.figures.layers import layer_maps
from netphase.figures.panels import (
    functions_over_clouds,
    measure_against_width,
    theory_tests,
)
from netphase.figures.plane import exact_boundary, initialisation_plane
from netphase.figures.plateaus import loss_plateaus
from netphase.figures.quenching import (
    contribution_curves,
    contribution_stems,
    direction_scatter,
    loss_with_twin,
)
from netphase.figures.quenching_film import quenching_animation
from netphase.figures.sizes import scaling_name, size_maps
from netphase.figures.stage_windows import growth, rescaled_risk
from netphase.figures.style import new_figure, panel_label, save
from netphase.figures.timescales import degree_residuals, learning_times, risk_staircase
from netphase.figures.windows import Window, break_down_times
from netphase.figures.zones import alignment_maps, zone_diagram

__all__ = [
    "Window",
    "alignment_histograms",
    "alignment_maps",
    "animation_writer",
    "break_down_times",
    "change_against_width",
    "cloud_grid",
    "condensation_animation",
    "condensation_counts",
    "contribution_curves",
    "contribution_stems",
    "cosine_heat_map",
    "degree_residuals",
    "direction_field",
    "direction_scatter",
    "direction_strengths",
    "draw_cloud",
    "draw_output",
    "exact_boundary",
    "exponents_against_gamma",
    "feature_cloud",
    "feature_maps",
    "functions_over_clouds",
    "growth",
    "initialisation_plane",
    "kernel_errors",
    "kernel_spectra",
    "layer_changes",
    "layer_maps",
    "layer_shares",
    "learning_times",
    "least_eigenvalues",
    "loss_decay",
    "loss_plateaus",
    "loss_with_twin",
    "measure_against_width",
    "network_output",
    "new_figure",
    "norm_maps",
    "panel_label",
    "phase_diagram",
    "quenching_animation",
    "rescaled_risk",
    "risk_staircase",
    "save",
    "save_animation",
    "scaling_name",
    "size_maps",
    "theory_tests",
    "training_curves",
    "zone_diagram",
]
