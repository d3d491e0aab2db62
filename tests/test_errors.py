"""The errors: one root, and the built-in classes a caller expects."""

import pytest

from netphase import errors
from netphase._types import Status


@pytest.mark.parametrize(
    "kind",
    [
        errors.ArgumentError,
        errors.StoreMismatchError,
        errors.EvolutionError,
        errors.FitError,
        errors.MissingDependencyError,
    ],
)
def test_every_error_has_the_one_root(kind):
    with pytest.raises(errors.NetphaseError, match="why"):
        raise kind("why")


def test_argument_errors_are_value_errors():
    assert issubclass(errors.ArgumentError, ValueError)
    assert issubclass(errors.MissingDependencyError, ImportError)


def test_evolution_error_carries_the_partial_trajectory():
    partial = object()
    assert errors.EvolutionError("stopped", partial).trajectory is partial
    assert errors.EvolutionError("stopped").trajectory is None


def test_each_status_is_a_success_or_has_a_remedy():
    successes = {Status.CONVERGED, Status.TIME_REACHED}
    for status in Status:
        assert status.succeeded == (status in successes)
        assert bool(status.remedy) != status.succeeded
