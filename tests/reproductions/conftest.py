"""What tests of reproductions share: which claims failed, and which were tested at all."""

from collections.abc import Callable, Iterable

import pytest

from netphase.reproductions import Check, Verdict

Chosen = Callable[[Iterable[Check]], list[Check]]


@pytest.fixture(scope="session")
def failed() -> Chosen:
    """Those of some checks that are not reproduced."""
    return lambda checks: [each for each in checks if each.verdict is Verdict.NOT_REPRODUCED]


@pytest.fixture(scope="session")
def with_verdict() -> Chosen:
    """Those of some checks that the size was large enough for."""
    return lambda checks: [each for each in checks if each.verdict is not Verdict.NOT_TESTED]
