"""What every test shares: no windows, repeatable examples, the path of the checkout."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "agg"

settings.register_profile("netphase", deadline=None, derandomize=True)
settings.load_profile("netphase")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]
