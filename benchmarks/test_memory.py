"""Peak memory of one large run, in a process of its own (Linux)."""

import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
    import re, sys
    import numpy as np
    from netphase import activations
    from netphase.engine import descend, descend_auto
    from netphase.engine.problem import Problem, Stop
    from netphase.networks import Parameters

    def peak():  # getrusage would count what the parent held before exec
        status = open("/proc/self/status").read()
        return int(re.search("VmHWM:\\s+(\\d+)", status)[1]) * 1024

    x = np.stack([np.linspace(-0.5, 0.5, 4), np.ones(4)], axis=1)

    def run(m):
        problem = Problem(x, x[:, 0] ** 2, activations.get("relu"), 1 / m)
        draw = np.random.default_rng(0)
        start = Parameters(draw.normal(size=m), draw.normal(size=(m, 2)))
        stop = Stop(max_steps=20)
        if sys.argv[1] == "fixed":
            descend(problem, start, learning_rate=0.1 * m, stop=stop, tracked=m)
        else:
            descend_auto(problem, start, tolerance=0.01, stop=stop, tracked=m)

    run(10)
    before = peak()
    m = int(sys.argv[2])
    run(m)
    print((peak() - before) / (3 * 8 * m))
"""


@pytest.mark.benchmark(group="memory")
@pytest.mark.parametrize("method", ["fixed", "auto"])
def test_peak_memory_of_a_million_neurons(method, benchmark, note):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), method, "1000000"]
    out = benchmark.pedantic(
        lambda: subprocess.run(command, capture_output=True, text=True, check=True), rounds=1
    )
    ratio = float(out.stdout)
    note(method=method, peak_over_parameters=ratio)
    assert 0.5 < ratio < 5.0
