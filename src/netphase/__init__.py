"""netphase: in which regime does a neural network train? The public names, fetched on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netphase import (
        activations,
        analysis,
        datasets,
        directions,
        dynamics,
        figures,
        hermite,
        kernels,
        observables,
        reproductions,
        scalings,
        targets,
    )
    from netphase._types import Status
    from netphase.condensing import condense
    from netphase.dynamics import (
        Adam,
        DeepGradientDynamics,
        Descent,
        Flow,
        GradientDynamics,
        MacroscopicDynamics,
        PopulationDynamics,
        RandomFeatureDynamics,
        Trajectory,
        evolve,
    )
    from netphase.errors import (
        ArgumentError,
        EvolutionError,
        FitError,
        MissingDependencyError,
        NetphaseError,
        StoreError,
        StoreMismatchError,
    )
    from netphase.experiment import Experiment, measure, run
    from netphase.learning import timescales
    from netphase.networks import (
        LayerParameters,
        MultiLayerNetwork,
        Parameters,
        TwoLayerNetwork,
        initial_layer_parameters,
        initial_parameters,
    )
    from netphase.quenching import ablate, quench
    from netphase.scalings import LayerScaling, Regime, Scales, ScalingLaw
    from netphase.sweep import (
        LayerSweep,
        SizeSweep,
        Sweep,
        exact_plane,
        run_layer_sweep,
        run_size_sweep,
        run_sweep,
    )

    __version__: str

__all__ = [
    "Adam",
    "ArgumentError",
    "DeepGradientDynamics",
    "Descent",
    "EvolutionError",
    "Experiment",
    "FitError",
    "Flow",
    "GradientDynamics",
    "LayerParameters",
    "LayerScaling",
    "LayerSweep",
    "MacroscopicDynamics",
    "MissingDependencyError",
    "MultiLayerNetwork",
    "NetphaseError",
    "Parameters",
    "PopulationDynamics",
    "RandomFeatureDynamics",
    "Regime",
    "Scales",
    "ScalingLaw",
    "SizeSweep",
    "Status",
    "StoreError",
    "StoreMismatchError",
    "Sweep",
    "Trajectory",
    "TwoLayerNetwork",
    "__version__",
    "ablate",
    "activations",
    "analysis",
    "condense",
    "datasets",
    "directions",
    "dynamics",
    "evolve",
    "exact_plane",
    "figures",
    "hermite",
    "initial_layer_parameters",
    "initial_parameters",
    "kernels",
    "measure",
    "observables",
    "quench",
    "reproductions",
    "run",
    "run_layer_sweep",
    "run_size_sweep",
    "run_sweep",
    "scalings",
    "targets",
    "timescales",
]

_SUBMODULES = frozenset(
    {
        "activations",
        "analysis",
        "datasets",
        "directions",
        "dynamics",
        "figures",
        "hermite",
        "kernels",
        "observables",
        "reproductions",
        "scalings",
        "targets",
    }
)

_HOMES = {
    "_types": ("Status",),
    "condensing": ("condense",),
    "dynamics": (
        "Adam",
        "DeepGradientDynamics",
        "Descent",
        "Flow",
        "GradientDynamics",
        "MacroscopicDynamics",
        "PopulationDynamics",
        "RandomFeatureDynamics",
        "Trajectory",
        "evolve",
    ),
    "errors": (
        "ArgumentError",
        "EvolutionError",
        "FitError",
        "MissingDependencyError",
        "NetphaseError",
        "StoreError",
        "StoreMismatchError",
    ),
    "experiment": ("Experiment", "measure", "run"),
    "learning": ("timescales",),
    "networks": (
        "LayerParameters",
        "MultiLayerNetwork",
        "Parameters",
        "TwoLayerNetwork",
        "initial_layer_parameters",
        "initial_parameters",
    ),
    "quenching": ("ablate", "quench"),
    "scalings": ("LayerScaling", "Regime", "Scales", "ScalingLaw"),
    "sweep": (
        "LayerSweep",
        "SizeSweep",
        "Sweep",
        "exact_plane",
        "run_layer_sweep",
        "run_size_sweep",
        "run_sweep",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Fetch a public name on its first use, so that importing netphase costs next to nothing."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("netphase")
    elif name in _SUBMODULES:
        return importlib.import_module(f"netphase.{name}")
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(f"netphase.{_HOME_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'netphase' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, whether or not they were fetched."""
    return sorted(__all__)
