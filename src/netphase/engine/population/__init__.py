"""Training on infinitely many random inputs, with every average in closed form."""

from netphase.engine.population.chebyshev import flow_chebyshev
from netphase.engine.population.compiled import CompiledField
from netphase.engine.population.descent import descend_population
from netphase.engine.population.field import PopulationField
from netphase.engine.population.problem import (
    PopulationProblem,
    population_problem,
    reduced,
    slope_of,
)
from netphase.engine.population.series import SeriesField

__all__ = [
    "PopulationField",
    "PopulationProblem",
    "descend_population",
    "flow_chebyshev",
    "open_field",
    "population_problem",
    "reduced",
]


def open_field(problem: PopulationProblem) -> PopulationField:
    """The field of a problem, by the fastest way there is for its activation.

    Args:
        problem: the problem.

    Returns:
        The field.

    Raises:
        ArgumentError: there is no closed form, and no series, for this activation and these inputs.
    """
    if slope_of(problem.activation) is not None:
        return CompiledField(problem)
    return SeriesField(problem)
