"""The result file: what goes in comes out, and what is wrong is named."""

from __future__ import annotations

import doctest
import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from hebbarium.files.errors import EngineError, in_one_line
from hebbarium.record import results


def small_tree(samples_seen: int = 6, seed: int = 3, **groups: Any) -> xr.DataTree:
    generator = np.random.default_rng(seed)
    attributes = results.root_attributes(
        model="synaptic_scaling",
        paper="Touda & Okuno",
        seed=seed,
        samples_seen=samples_seen,
        parameters={"tau_p": "60 ms"},
        options={"norm": 2, "note": None},
        complete=True,
    )
    contents: dict[str, Any] = {
        "activity": {
            "excitatory": results.responses(
                generator.integers(0, 9, (samples_seen, 4)),
                label=np.arange(samples_seen) % 3,
                image=np.arange(samples_seen) + 40_000,
                block=np.arange(samples_seen) // 2,
                presentation_ms=150.0,
            )
        },
        "weights": {
            "input_to_excitatory": results.weight_snapshots(
                generator.random((2, 49, 60)), samples_seen=[0, samples_seen]
            )
        },
        "state": {
            "excitatory": results.state_snapshots(
                samples_seen=[0, samples_seen],
                theta=(generator.random((2, 4)), "mV", "adaptive part of the threshold"),
            )
        },
        "test": {
            "excitatory": results.responses(
                generator.integers(0, 9, (5, 4)), label=[0, 1, 2, 0, 1], image=range(5), presentation_ms=500.0
            )
        },
        "evaluation": results.evaluation(
            readout=["most_active", "class_mean"],
            seed=seed,
            samples_seen=[samples_seen],
            accuracy=[[80.0, 79.5]],
            confusion=np.arange(24).reshape(2, 3, 4),
            predicted=np.zeros((2, 5)),
            neuron_label=[0, 1, -1, 2],
            running_accuracy=[np.nan, 50.0, 60.0],
            samples_seen_block=[2, 4, 6],
        ),
        "raster": {
            "input": results.raster(
                spike_time=[1.0, 2.5],
                spike_neuron=[5, 48],
                spike_presentation=[0, 0],
                n_neurons=49,
                presentation_ms=150.0,
            )
        },
        "stdp_window": results.stdp_window(
            delta_t=[-5.0, 5.0], delta_w=[-0.002, 0.004], a_plus=0.005, a_minus=0.0025, tau_p_ms=20.0
        ),
    }
    contents.update(groups)
    return results.build(attributes, **contents)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    tree = small_tree()
    file = results.write(tree, tmp_path)
    assert file == tmp_path / "results.nc"
    with results.open_run(tmp_path) as opened:
        assert opened.identical(tree)
        for node, original in zip(opened.subtree, tree.subtree, strict=True):
            for name, variable in node.to_dataset(inherit=False).variables.items():
                assert variable.dtype.kind == original.to_dataset(inherit=False)[name].dtype.kind, name
        counts = opened["activity/excitatory/spike_count"]
        assert counts.dtype == np.uint16
        assert opened["weights/input_to_excitatory/w"].dtype == np.float32
        assert counts.sel(sample=counts["label"] == 2).sizes["sample"] == 2
        assert results.decoded(opened)["options"] == {"norm": 2, "note": None}
        assert results.decoded(opened)["complete"] is True


def test_every_variable_has_units_and_a_name() -> None:
    for node in small_tree().subtree:
        for variable in node.to_dataset(inherit=False).variables.values():
            assert variable.attrs["units"]
            assert variable.attrs["long_name"]


def test_large_variables_are_compressed_and_lazy(tmp_path: Path) -> None:
    constant = results.weight_snapshots(np.full((3, 784, 300), 0.25), samples_seen=[0, 5, 6])
    file = results.write(small_tree(weights={"input_to_excitatory": constant}), tmp_path / "large.nc")
    assert file.stat().st_size < 0.1 * 4 * 3 * 784 * 300
    with results.open_run(file) as opened:
        w = opened["weights/input_to_excitatory"].to_dataset()["w"]
        assert w.encoding["zlib"]
        assert w.encoding["chunksizes"] == (1, 784, 256)
        assert "_FillValue" not in w.encoding
        assert not w.variable._in_memory
        assert float(w.isel(samples_seen=1, pre=2, post=299)) == 0.25


def test_a_file_is_replaced_while_it_is_open(tmp_path: Path) -> None:
    results.write(small_tree(seed=1), tmp_path)
    with results.open_run(tmp_path) as old:
        results.write(small_tree(seed=2), tmp_path)
        with results.open_run(tmp_path) as new:
            assert (old.attrs["seed"], new.attrs["seed"]) == (1, 2)
            assert (
                old["test/excitatory"]
                .to_dataset()
                .identical(small_tree(seed=1)["test/excitatory"].to_dataset())
            )
            results.write(new, tmp_path)  # a lazy tree over its own file
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results.write(small_tree(seed=1), tmp_path)
    before = (tmp_path / "results.nc").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        results.write(small_tree(seed=2), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]
    assert (tmp_path / "results.nc").read_bytes() == before


def test_missing_truncated_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(results.ResultFileError, match=r"No results.nc in the run folder"):
        results.open_run(tmp_path)
    with pytest.raises(results.ResultFileError, match="no such folder"):
        results.open_run(tmp_path / "nowhere")
    file = results.write(small_tree(), tmp_path)
    content = file.read_bytes()
    for size in (0, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:size])
        with pytest.raises(results.ResultFileError, match=f"{size} bytes.*truncated or not a result file"):
            results.open_run(tmp_path)
    xr.DataTree.from_dict({"/": xr.Dataset(attrs={"title": "other"})}).to_netcdf(file, engine="h5netcdf")
    with pytest.raises(results.SchemaError, match=r"results\.nc.*schema_version is missing"):
        results.open_run(tmp_path)


@pytest.mark.parametrize("name", ["\x1b[2Jevaluation", "..", "a\nline", "x" * 10_000, "\u202egnp"])
@pytest.mark.parametrize("what", ["group", "variable", "text", "attribute", "units"])
def test_crafted_names_are_refused(what: str, name: str, tmp_path: Path) -> None:
    """Nothing that a stranger's file says does something to a terminal or leads to another folder."""
    file = results.write(small_tree(), tmp_path / "results.nc")
    with h5py.File(file, "r+") as stored:
        if what == "group":
            stored["test"].create_group(name)
        elif what == "variable":
            stored["evaluation"].create_dataset(name, data=1)
        elif what == "text":
            stored["evaluation/readout"][0] = name
        elif what == "attribute":
            stored.attrs["dataset"] = name
        else:
            stored["evaluation/accuracy"].attrs["units"] = name
    if what == "attribute" and name.isprintable():
        results.open_run(file).close()
        return
    with pytest.raises(EngineError) as refused:
        results.open_run(file)
    told = in_one_line(str(refused.value))
    assert told.isprintable()
    assert "results.nc" in told
    assert len(told) < 1000


def test_texts_of_ones_own_are_made_printable(tmp_path: Path) -> None:
    attributes = results.root_attributes(model="a\x1b[2Jmodel", dataset="b\nset", seed=0, samples_seen=0)
    assert (attributes["model"], attributes["dataset"]) == ("a\\x1b[2Jmodel", "b set")
    results.build(attributes)


def test_another_version_is_refused(tmp_path: Path) -> None:
    tree = small_tree()
    tree.attrs["schema_version"] = results.SCHEMA_VERSION + 1
    tree.to_netcdf(tmp_path / "results.nc", engine="h5netcdf")
    with pytest.raises(results.SchemaError, match=f"schema_version is {results.SCHEMA_VERSION + 1}"):
        results.open_run(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", None),
        ("parameters", "not json"),
        ("parameters", "[]"),
        ("complete", 2),
        ("git_dirty", True),
        ("wall_time_s", "fast"),
        ("model", 5),
    ],
)
def test_wrong_attributes_are_named(name: str, value: object) -> None:
    tree = small_tree()
    tree.attrs[name] = value
    with pytest.raises(results.SchemaError, match=f"root attribute {name}"):
        results.validate(tree)
    del tree.attrs[name]
    with pytest.raises(results.SchemaError, match=f"root attribute {name} is missing"):
        results.validate(tree)


def test_wrong_variables_are_named() -> None:
    tree = small_tree()
    good = tree["activity/excitatory"].to_dataset()

    def refused(dataset: xr.Dataset, message: str, group: str = "activity/excitatory") -> None:
        broken = tree.copy()
        broken[group] = xr.DataTree(dataset)
        with pytest.raises(results.SchemaError, match=message):
            results.validate(broken)

    refused(good.drop_vars("spike_count"), "activity/excitatory has no variable spike_count")
    refused(good.drop_vars("block"), "activity/excitatory has no variable block")
    refused(good.transpose(), r"spike_count has dimensions \(neuron, sample\)")
    refused(good.astype(float), "spike_count is float64; expected unsigned integers")
    bare = good.copy()
    bare["mine"] = ("neuron", np.zeros(4))
    refused(bare, "activity/excitatory/mine has no attribute units")
    backwards = results.weight_snapshots(np.zeros((2, 1, 1)), samples_seen=[5, 5])
    refused(backwards, "samples_seen does not increase", "weights/input_to_excitatory")
    window = tree["stdp_window"].to_dataset()
    del window.attrs["a_plus"]
    refused(window, "stdp_window has no attribute a_plus", "stdp_window")


def test_a_model_may_add_variables_and_groups_of_its_own() -> None:
    tree = small_tree()
    tree["desire"] = xr.DataTree(xr.Dataset({"d": ("x", [1.0], {"units": "1", "long_name": "desire"})}))
    results.validate(tree)


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(results.SchemaError, match="spike_count reaches from 0 to 70000"):
        results.responses([[0, 70_000]], label=[1])
    with pytest.raises(results.SchemaError, match="spike_count reaches from -1"):
        results.responses([[-1, 7]], label=[1])
    with pytest.raises(results.SchemaError, match="not whole"):
        results.responses([[0.5, 7]], label=[1])
    with pytest.raises(results.SchemaError, match="label has 2 entries for 1 samples"):
        results.responses([[1, 7]], label=[1, 2])
    with pytest.raises(results.SchemaError, match="spike_neuron holds 3 to 3"):
        results.raster(
            spike_time=[1], spike_neuron=[3], spike_presentation=[0], n_neurons=3, presentation_ms=1
        )
    with pytest.raises(results.SchemaError, match="Lengths differ"):
        results.weight_snapshots(np.zeros((2, 1, 1)), samples_seen=[5])
    with pytest.raises(results.SchemaError, match="classes \\+ 1"):
        results.evaluation(readout=["most_active"], confusion=np.zeros((1, 3, 3)))


def test_attributes_survive_as_json(tmp_path: Path) -> None:
    with xr.open_datatree(results.write(small_tree(), tmp_path), engine="h5netcdf") as raw:
        assert json.loads(raw.attrs["parameters"]) == {"tau_p": "60 ms"}
        assert raw.attrs["git_commit"] == ""


def test_examples() -> None:
    assert doctest.testmod(results).failed == 0
