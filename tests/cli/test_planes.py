"""What the planes of `netphase diagram` share: resuming, other stores, interrupts."""

import itertools
import os
import signal
import time

import pytest

pytestmark = pytest.mark.usefixtures("theory", "no_figures")


@pytest.fixture(params=["scaling", "size", "layers"])
def plane(request):
    return request.param


def test_a_store_is_resumed_or_made_afresh(run, run_json, small):
    first = run_json(*small())
    total = first["runs"]["total"]
    assert f"{total} from the store" in run(*small()).stderr
    assert "from the store" not in run(*small("--fresh")).stderr
    assert run_json(*small())["cells"] == first["cells"]


def test_the_store_of_another_sweep_is_refused(run, small):
    assert run(*small()).exit_code == 0
    other = run(*small("--tolerance", "1e-3"))
    assert other.exit_code == 2
    assert other.stderr.strip().splitlines()[-1].startswith("Error: The store")
    assert "`mean_square`" in other.stderr
    assert "--fresh" in other.stderr


def test_the_store_of_another_plane_is_refused(run, plane, small, tmp_path):
    assert run(*small()).exit_code == 0
    other = ("--plane", "size") if plane == "scaling" else ()
    result = run("diagram", *other, "--quick", "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert "another kind of sweep" in result.stderr


def test_an_interrupted_plane_says_how_to_go_on_and_is_shown_unfinished(
    run, run_json, theory, small, tmp_path
):
    made = itertools.count(1)

    def interrupted(task):
        if next(made) == 10:
            time.sleep(0.5)  # until the main thread has stored what came before
            os.kill(os.getpid(), signal.SIGINT)  # reaches the main thread, as Ctrl-C does
            time.sleep(0.5)
        return theory.measure(task)

    theory(interrupted)
    result = run(*small("--workers", "1"))
    assert result.exit_code == 130
    last = result.stderr.strip().splitlines()[-1]
    assert "are kept in" in last
    assert "netphase diagram" in last
    shown = run("show", tmp_path / "out")
    assert shown.exit_code == 3, shown.stderr
    theory(theory.measure)
    again = run(*small())
    assert again.exit_code == 0
    assert "from the store" in again.stderr
    total = run_json(*small())["runs"]["total"]
    assert f"of {total} runs were not made yet" in shown.stderr
