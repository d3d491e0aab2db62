"""`netphase info`: versions, processor features, threads."""

import os

import numpy as np


def test_info_tells_versions_threads_and_the_engine(run_json):
    content = run_json("info")
    assert content["packages"]["numpy"] == np.__version__
    assert 1 <= content["threads"] <= os.cpu_count()
    assert content["engine"]


def test_info_is_readable_too(run):
    text = run("info").stdout
    assert f"packages: numpy  {np.__version__}" in " ".join(text.split()).replace(
        "packages: numpy ", "packages: numpy  "
    )
    assert "threads" in text


def test_info_says_which_packages_are_missing(run, monkeypatch):
    from netphase.cli import info

    monkeypatch.setattr(info, "PACKAGES", ("no_such_package",))
    assert info.describe()["packages"] == {"no_such_package": None}
    assert "not installed" in run("info").stdout
