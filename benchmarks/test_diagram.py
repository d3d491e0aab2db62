"""The main job: `netphase diagram` from the shell to the picture."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

NETPHASE = str(Path(sys.executable).parent / "netphase")


@pytest.mark.benchmark(group="diagram")
def test_whole_diagram(benchmark, note, quick, tmp_path):
    command = [NETPHASE, "diagram", "--output", str(tmp_path / "diagram")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    benchmark.pedantic(
        lambda: subprocess.run(
            [*command, *(["--quick"] if quick else [])], check=True, capture_output=True
        ),
        rounds=1,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    note(size="quick" if quick else "full", cpu_seconds=cpu)
    assert (tmp_path / "diagram").exists()
