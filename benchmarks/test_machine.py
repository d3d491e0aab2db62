"""What the machine could do: fused multiply-adds and memory bandwidth of one core."""

import pytest

core = pytest.importorskip("netphase.engine._core")


@pytest.mark.benchmark(group="machine")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_peak_of_fused_multiply_adds(precision, benchmark, note, quick):
    seconds = 0.02 if quick else 0.3
    rounds = 1 if quick else 5
    gflops = []
    benchmark.pedantic(
        lambda: gflops.append(core.fma_gflops(seconds, precision == "float32")), rounds=rounds
    )
    note(what=f"FMA peak, {precision}", value=max(gflops), unit="Gflop/s")
    assert max(gflops) > 0.1


@pytest.mark.benchmark(group="machine")
@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("kilobytes", [384, 8_000, 96_000])
def test_bandwidth_of_the_triad(kilobytes, benchmark, note, quick):
    seconds = 0.02 if quick else 0.3
    rounds = 1 if quick else 5
    found = []
    benchmark.pedantic(
        lambda: found.append(core.triad_gbytes(kilobytes * 1000, seconds)), rounds=rounds
    )
    note(what=f"triad, {kilobytes} kB", value=max(found), unit="GB/s")
    assert max(found) > 0.1
