"""Time to import the package and to print the help, CPU seconds of a fresh process."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

NETPHASE = str(Path(sys.executable).parent / "netphase")

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "import netphase": [sys.executable, "-c", "import netphase"],
    "import netphase and its names": [
        sys.executable,
        "-c",
        "import netphase as n; n.Experiment, n.ScalingLaw, n.run",
    ],
    "netphase --help": [NETPHASE, "--help"],
}


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.benchmark(group="startup")
@pytest.mark.parametrize("what", COMMANDS)
def test_startup_cost(what, benchmark, note, quick):
    taken = [cpu_seconds(COMMANDS[what]) for _ in range(2 if quick else 11)][1:]
    note(what=what, cpu_seconds=float(np.median(taken)))
    benchmark.pedantic(lambda: cpu_seconds(COMMANDS[what]), rounds=1)
