"""Options of the benchmarks, one core a process, and the table of ratios at the end."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def pytest_configure():
    """Refuses to time matrix products whose threads would fight for one core."""
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        raise pytest.UsageError(
            "Set one thread a process: use benchmarks/run.sh (or `make bench`)."
        )


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="short rounds: only that they run")


@pytest.fixture(scope="session")
def quick(request):
    """Whether timings are only a rehearsal."""
    return request.config.getoption("--quick")


@pytest.fixture
def one_core():
    """Pins this process to one core for the time of a test."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture
def note(benchmark):
    """Notes figures beside a timing; they go into the stored results and the table."""

    def add(**figures):
        benchmark.extra_info.update(figures)

    return add


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info):
    """Keeps what the machine is, not what it is called."""
    machine_info.pop("node", None)
