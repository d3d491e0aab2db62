"""The store: labelled, resumable, honest about what it is, safe against kills and full disks."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from netphase.errors import StoreError, StoreMismatchError
from netphase.results import PLANE, Axis, Quantity, Schema, comparable
from netphase.store import Plan, Store, is_store, read, specification
from netphase.store.identity import differences

SHAPE = (3, 2, 2, 2)
AXES = {"gamma": (0.5, 1.0, 1.5), "gamma_prime": (0.0, 0.25), "width": (10, 100), "seed": (0, 7)}


def plan(sweep_id="abc", **changes):
    axes = AXES | changes
    text = json.dumps({"base": {"dtype": "float64"}, **{k: list(v) for k, v in axes.items()}})
    return Plan(PLANE, sweep_id, text, axes, {"dtype": "float64", "target_mean_square": 1e-6})


def row(index):
    """A deterministic result for one place of the grid."""
    rng = np.random.default_rng(list(index))
    scalars = {q.name: rng.random() for q in PLANE.quantities if not q.provenance}
    scalars |= {"status": "converged", "steps": int(rng.integers(2**53))}
    return PLANE.pack(scalars | {"wall_seconds": time.perf_counter()})


def fill(store, places):
    for index in places:
        store.write(index, row(index))


PLACES = list(np.ndindex(*SHAPE))


def test_a_finished_store_opens_in_xarray_without_a_remark_and_equals_what_was_written(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES)
    opened = xr.open_zarr(path, chunks=None).load()
    for index in PLACES:
        cell = opened.isel(dict(zip(AXES, index, strict=True)))
        expected = dict(zip(PLANE.column, row(index), strict=True))
        assert cell["relative_change_w"].item() == expected["relative_change_w"]
        assert cell["steps"].item() == expected["steps"]
        assert cell["status"].item() == 0
    assert opened["done"].values.all()
    xr.testing.assert_identical(opened, read(path))


def test_every_variable_and_axis_says_what_it_is(tmp_path):
    with Store(tmp_path / "s.zarr", plan()):
        pass
    opened = read(tmp_path / "s.zarr")
    assert opened["gamma"].values.tolist() == [0.5, 1.0, 1.5]
    assert opened["width"].dtype == np.int64
    for name, variable in opened.variables.items():
        assert variable.attrs["long_name"]
        assert "units" in variable.attrs or name in ("status", "done")
    assert opened["wall_seconds"].attrs["role"] == "provenance"
    assert opened["status"].attrs["flag_meanings"].split()[0] == "not_run"
    assert set(opened.attrs) > {"sweep_id", "sweep", "netphase_version", "git_commit", "dtype"}
    assert opened.attrs["target_mean_square"] == 1e-6


def test_the_whole_template_is_there_before_the_first_run(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()):
        opened = xr.open_zarr(path, consolidated=False, chunks=None).load()
        assert not opened["done"].values.any()
        assert np.all(opened["status"].values == -1)
        assert np.isnan(opened["relative_change_w"].values).all()
        assert set(opened.data_vars) == {*PLANE.column, "done"}
        assert not (path / "zarr.json").read_text().count("consolidated_metadata")


def test_a_run_is_one_chunk_written_at_once(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES[:5])
        chunks = [file for file in (path / "journal" / "runs").iterdir() if file.name[0] == "c"]
        assert len(chunks) == 5
        assert int(read(path)["done"].sum()) == 5


def test_the_journal_is_an_ordinary_zarr_array_with_checksums(tmp_path):
    import zarr

    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES)
        rows = store.rows
    array = zarr.open_array(path / "journal" / "runs", mode="r")
    np.testing.assert_array_equal(array[:], rows)
    assert array.chunks == (1, 1, 1, 1, len(PLANE.quantities))
    codecs = json.loads((path / "journal" / "runs" / "zarr.json").read_text())["codecs"]
    assert codecs[-1]["configuration"]["checksum"] is True


def test_a_store_is_resumed_where_it_stopped(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES[:7])
    with Store(path, plan()) as store:
        assert int(store.done.sum()) == 7
        np.testing.assert_array_equal(store.done.ravel()[:7], True)
        fill(store, PLACES[7:])
        whole = store.dataset()
    with Store(tmp_path / "t.zarr", plan()) as other:
        fill(other, PLACES)
        xr.testing.assert_identical(comparable(other.dataset()), comparable(whole))


def test_leaving_the_block_by_an_error_publishes_what_is_there(tmp_path):
    path = tmp_path / "s.zarr"

    def interrupted():
        with Store(path, plan()) as store:
            fill(store, PLACES[:3])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    opened = xr.open_zarr(path, consolidated=False, chunks=None)
    assert int(opened["done"].sum()) == 3


def test_another_sweep_is_refused_with_what_differs(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES)
    with pytest.raises(StoreMismatchError, match=r"`width` is \[10, 100\] there and \[10\] here"):
        Store(path, plan("def", width=(10,)))
    with pytest.raises(StoreMismatchError, match="--fresh"):
        Store(path, plan("def", width=(10,)))
    with pytest.raises(StoreMismatchError, match="content of the data"):
        Store(path, plan("def"))
    assert read(path)["done"].values.all()


def test_a_refused_store_is_not_left_locked(tmp_path):
    path = tmp_path / "s.zarr"
    Store(path, plan()).close()
    with pytest.raises(StoreMismatchError):
        Store(path, plan("def"))
    Store(path, plan()).close()


def test_a_store_of_another_version_is_refused(tmp_path):
    path = tmp_path / "s.zarr"
    Store(path, plan()).close()
    rewrite_attributes(path, netphase_version="0.0.1")
    with pytest.raises(StoreMismatchError, match=r"written by netphase 0\.0\.1"):
        Store(path, plan())


def test_a_store_of_another_layout_is_refused(tmp_path):
    path = tmp_path / "s.zarr"
    Store(path, plan()).close()
    rewrite_attributes(path, netphase_store=99)
    with pytest.raises(StoreMismatchError, match="layout 99"):
        read(path)


LINE = Schema(
    title="a line of depths",
    axes=(Axis("depth", "int64", "number of layers"),),
    plane=("depth",),
    quantities=(
        Quantity("error", "m", "how far off"),
        Quantity("status", "1", "why the run ended"),
    ),
)


def test_a_store_of_any_axes_and_quantities_describes_itself(tmp_path):
    path = tmp_path / "s.zarr"
    line = Plan(LINE, "abc", "{}", {"depth": (2, 3, 5)})
    with Store(path, line) as store:
        store.write((1,), LINE.pack({"status": "stagnated", "error": 0.25}))
    found = read(path)
    assert found["error"].dims == ("depth",)
    assert found["error"].attrs["units"] == "m"
    assert found["depth"].attrs["long_name"] == "number of layers"
    assert found["status"].values.tolist() == [-1, 3, -1]
    assert found["error"].sel(depth=3).item() == 0.25
    assert found.attrs["title"] == "a line of depths"
    xr.testing.assert_identical(found, xr.open_zarr(path, consolidated=False, chunks=None).load())
    with Store(path, line) as store:
        assert store.done.tolist() == [False, True, False]


def test_the_store_of_another_kind_of_sweep_is_refused(tmp_path):
    path = tmp_path / "s.zarr"
    Store(path, plan()).close()
    with pytest.raises(StoreMismatchError, match="holds another kind of sweep"):
        Store(path, Plan(LINE, "def", "{}", {"depth": (2, 3)}))


def test_the_first_stores_which_name_no_schema_hold_the_plane(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES[:3])
    document = json.loads((path / "zarr.json").read_text())
    del document["attributes"]["schema"]
    (path / "zarr.json").write_text(json.dumps(document))
    assert int(read(path)["done"].sum()) == 3
    with Store(path, plan()) as store:
        assert int(store.done.sum()) == 3


def test_every_commit_that_wrote_is_noted(tmp_path):
    path = tmp_path / "s.zarr"
    Store(path, plan()).close()
    here = read(path).attrs["git_commit"]
    rewrite_attributes(path, git_commit="0123456")
    Store(path, plan()).close()
    assert read(path).attrs["git_commit"] == f"0123456, {here}"


@pytest.mark.parametrize("name", ["axes", "sweep", "title"])
def test_a_store_that_lost_an_attribute_is_refused_in_words(tmp_path, name):
    path = tmp_path / "s.zarr"
    with Store(path, plan()):
        pass
    content = json.loads((path / "zarr.json").read_text())
    del content["attributes"][name]
    (path / "zarr.json").write_text(json.dumps(content))
    for reader in (read, specification, lambda folder: Store(folder, plan())):
        with pytest.raises(StoreMismatchError, match=f"its {name} any more"):
            reader(path)
    with Store(path, plan(), fresh=True):
        assert is_store(path)


def rewrite_attributes(path, **changes):
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"] |= changes
    (path / "zarr.json").write_text(json.dumps(document))


def test_fresh_replaces_a_netphase_store(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES)
    with Store(path, plan("def", width=(5, 6)), fresh=True) as store:
        assert not store.done.any()
    assert os.listdir(tmp_path) == ["s.zarr"]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_foreign_folder_is_refused_and_left_alone(tmp_path, fresh):
    path = tmp_path / "thesis"
    path.mkdir()
    (path / "chapter.tex").write_text("years of work")
    with pytest.raises(StoreMismatchError, match="not a netphase store, and is left as it is"):
        Store(path, plan(), fresh=fresh)
    assert (path / "chapter.tex").read_text() == "years of work"


@pytest.mark.parametrize("fresh", [False, True])
def test_a_foreign_zarr_group_is_refused_and_left_alone(tmp_path, fresh):
    import zarr

    path = tmp_path / "other.zarr"
    zarr.open_group(path, mode="w", zarr_format=3, attributes={"mine": 1})
    with pytest.raises(StoreMismatchError, match="left as it is"):
        Store(path, plan(), fresh=fresh)
    assert zarr.open_group(path, mode="r").attrs["mine"] == 1


def test_a_file_in_the_way_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("keep me")
    with pytest.raises(StoreMismatchError, match="path is a file"):
        Store(path, plan(), fresh=True)
    assert path.read_text() == "keep me"


def test_an_empty_folder_becomes_a_store(tmp_path):
    path = tmp_path / "empty"
    path.mkdir()
    with Store(path, plan()):
        assert is_store(path)


def test_missing_parents_are_made(tmp_path):
    with Store(tmp_path / "a" / "b" / "s.zarr", plan()):
        pass
    assert is_store(tmp_path / "a" / "b" / "s.zarr")


def test_reading_what_is_no_store_says_so(tmp_path):
    with pytest.raises(StoreMismatchError, match="does not exist"):
        read(tmp_path / "nothing.zarr")
    with pytest.raises(StoreMismatchError, match="is not a netphase store"):
        read(tmp_path)


def test_the_specification_can_be_read_back(tmp_path):
    Store(tmp_path / "s.zarr", plan()).close()
    assert json.loads(specification(tmp_path / "s.zarr"))["width"] == [10, 100]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StoreError, match="choose a folder you may write to"):
        Store(blocker / "s.zarr", plan())


def test_a_second_writer_is_refused_until_the_first_is_gone(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()):
        with pytest.raises(StoreError, match="Another process is writing"):
            Store(path, plan())
        with pytest.raises(StoreError, match="Another process is writing"):
            Store(path, plan(), fresh=True)
    with Store(path, plan()):
        pass


def test_a_full_disk_is_one_sentence_and_keeps_what_is_done(tmp_path, monkeypatch):
    path = tmp_path / "s.zarr"

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def filling():
        with Store(path, plan()) as store:
            fill(store, PLACES[:4])
            monkeypatch.setattr(Path, "replace", full)
            fill(store, PLACES[4:])

    with pytest.raises(StoreError, match=r"disk that holds .* is full; every finished run is kept"):
        filling()
    monkeypatch.undo()
    assert not list((path / "journal").rglob("*.partial"))
    with Store(path, plan()) as store:
        assert int(store.done.sum()) == 4


def test_leftovers_of_a_killed_writer_are_swept(tmp_path):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES[:2])
    orphan = path / "journal" / "runs" / "c.0.0.0.0.abcd.partial"
    orphan.write_bytes(b"torn")
    with Store(path, plan()) as store:
        assert int(store.done.sum()) == 2
    assert not orphan.exists()


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_run_is_an_error_to_read_and_is_made_again_on_resuming(tmp_path, damage):
    path = tmp_path / "s.zarr"
    with Store(path, plan()) as store:
        fill(store, PLACES)
    chunk = path / "journal" / "runs" / "c.1.1.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    spoilt = {"flipped": bytes(content), "cut": bytes(content[:20]), "empty": b""}
    chunk.write_bytes(spoilt[damage])
    with pytest.raises(StoreError, match=r"1 of the runs .* damaged"):
        read(path)
    with pytest.warns(UserWarning, match="made again"):
        store = Store(path, plan())
    with store:
        assert [tuple(place) for place in np.argwhere(~store.done)] == [(1, 1, 0, 0)]


SCRIPT = """
import sys, time
sys.path.insert(0, {tests!r})
from test_store import PLACES, Store, plan, row
with Store({path!r}, plan()) as store:
    print("open", flush=True)
    for index in PLACES:
        if not store.done[index]:
            time.sleep(0.004)
            store.write(index, row(index))
            if index[2:] == (1, 1):
                store.publish()
"""


def test_a_writer_killed_at_random_moments_loses_and_spoils_nothing(tmp_path):
    path = tmp_path / "s.zarr"
    script = SCRIPT.format(tests=str(Path(__file__).parent), path=str(path))
    moments = random.Random(20)
    kills = before = 0
    while kills < 3:
        writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.35))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        kills += 1
        done = int(read(path)["done"].sum())
        assert done >= before
        before = done
        assert xr.open_zarr(path, consolidated=False, chunks=None)["done"].sum() <= done
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    with Store(tmp_path / "whole.zarr", plan()) as store:
        fill(store, PLACES)
    resumed = xr.open_zarr(path, chunks=None).load()
    xr.testing.assert_identical(comparable(resumed), comparable(read(tmp_path / "whole.zarr")))
    assert not list(path.rglob("*.partial"))


def test_differences_name_what_the_user_gave():
    stored = '{"base": {"activation": "tanh", "width": 10}, "widths": [10]}'
    asked = '{"base": {"width": 20}, "widths": [10], "seeds": [0, 1]}'
    assert differences(stored, asked) == [
        '`activation` is "tanh" there and the default here',
        "`seeds` is the default there and [0, 1] here",
    ]
