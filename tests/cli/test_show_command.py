"""`netphase show`: the tables and figures of a store, finished or not."""

import json

import pytest

from netphase.scalings import ScalingLaw

GRID = {
    "gamma": (0.6, 0.8, 0.95, 1.05, 1.2),
    "gamma_prime": (-0.1, 0.1),
    "widths": (100, 400, 1600),
    "seeds": (0, 1),
}


@pytest.fixture
def make_store(theory, tmp_path):
    """Write a store by theory; with `stop` its runs fail from the n-th on."""

    def make(stop=None, activation="relu"):
        from netphase import sweep
        from netphase.errors import EvolutionError
        from netphase.experiment import Experiment

        made = []

        def measure(experiment):
            made.append(experiment)
            if stop is not None and len(made) > stop:
                raise RuntimeError("stopped")
            return theory.measure(experiment)

        theory(measure)
        base = Experiment(law=ScalingLaw.mean_field(), width=1, activation=activation)
        grid = sweep.Sweep(base=base, **GRID)
        path = tmp_path / activation / "results.zarr"
        try:
            sweep.run_sweep(grid, path, workers=1)
        except EvolutionError:
            assert stop is not None
        return path

    return make


def test_show_gives_the_table_and_the_provenance_of_a_store(make_store, run, run_json):
    path = make_store()
    content = run_json("show", path)
    assert content["runs"]["done"] == 60
    assert len(content["cells"]) == 10
    assert content["sweep"]["widths"] == [100, 400, 1600]
    assert "netphase_version" in content["provenance"]
    assert content["files"] == []
    text = run("show", path).stdout
    assert "exponent S_w" in text
    assert "runs: 60 converged" in text


def test_show_accepts_the_folder_that_holds_the_store(make_store, run_json):
    path = make_store()
    assert run_json("show", path.parent)["cells"] == run_json("show", path)["cells"]


def test_show_of_an_unfinished_store_says_how_much_is_missing(make_store, run):
    path = make_store(stop=40)
    result = run("show", path, "--json")
    assert result.exit_code == 3
    content = json.loads(result.stdout)
    assert content["runs"]["done"] == 40
    assert content["runs"]["statuses"]["not run"] == 20
    assert "20 of 60 runs were not made yet" in result.stderr
    assert result.stderr.strip().removeprefix("Warning: ") in content["warnings"]


def test_show_draws_into_the_folder_asked_for(make_store, run_json, tmp_path):
    content = run_json("show", make_store(), "--output", tmp_path / "again", "--whole-row")
    assert len(content["files"]) == 10
    assert {path.name for path in (tmp_path / "again").iterdir()} >= {"phase_diagram.pdf"}
    assert len(content["whole_row"]) == 2


def test_show_puts_the_papers_stars_beside_its_own_task_only(make_store, run, run_json):
    path = make_store()
    assert run_json("show", path)["published"] is None
    stars = run_json("show", path, "--whole-row")["published"]
    # Luo et al. (2021), Fig. 4: the star of the row γ' = 0
    assert dict(zip(stars["gamma_prime"], stars["gamma"], strict=True))[0.0] == 1.039
    assert "paper's star" in run("show", path, "--whole-row").stdout
    other = make_store(activation="tanh")
    assert run_json("show", other, "--whole-row")["published"] is None


def test_show_splits_a_wide_plane_over_several_tables(make_store):
    from io import StringIO

    from rich.console import Console

    from netphase import store
    from netphase.cli.report import Report

    report = Report(store.read(make_store()))
    page = Console(width=30, file=StringIO())
    report.print(page)
    text = page.file.getvalue()
    assert text.count("γ' \\ γ") == 3
    assert "…" not in text.partition("boundary:")[0]


def test_maps_of_the_other_exponents_hatch_only_what_did_not_converge(
    make_store, monkeypatch, tmp_path
):
    from netphase import figures, store
    from netphase.cli.report import Report

    seen = {}
    original = figures.phase_diagram

    def watched(exponents, **options):
        seen[options["which"]] = set(options["verdicts"].values.ravel().tolist())
        return original(exponents, **options)

    monkeypatch.setattr(figures, "phase_diagram", watched)
    monkeypatch.setattr(figures, "save", lambda *_: [])
    report = Report(store.read(make_store()))
    report.plane["verdict"] = report.plane["verdict"].astype(object)
    report.plane["verdict"][0, 0] = "undetermined"
    report.plane["verdict"][1, 1] = "not converged"
    report.draw(tmp_path)
    assert {"undetermined", "not converged"} <= seen["w"]
    assert seen["a"] == seen["theta"] == {"", "not converged"}
