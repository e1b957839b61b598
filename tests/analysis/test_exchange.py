"""Recordings and tables in the formats of other tools: read by their own libraries, nothing is lost."""

from __future__ import annotations

import csv
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from hebbarium.analysis.exchange import neo_files, nwb_files, sonata_files, tables
from hebbarium.analysis.exchange.recordings import NothingRecorded, recording
from hebbarium.files.errors import FileNotWritten
from hebbarium.files.libraries import LibraryMissing
from hebbarium.record import results
from tests.analysis.synthetic import small_tree, weights

BEGUN = datetime(2026, 1, 2, tzinfo=UTC)
# (time in ms since the presentation began, neuron, presentation)
EXCITATORY = ((3.5, 2, 1), (1.0, 0, 0), (0.5, 0, 2))
LATE = 0.1 + 0.2  # a number that takes all the digits of double precision


@pytest.fixture
def tree() -> xr.DataTree:
    def raster(spikes: Any, neurons: int) -> xr.Dataset:
        time, neuron, presentation = np.array(spikes or np.zeros((0, 3))).reshape(-1, 3).T
        return results.raster(
            spike_time=time, spike_neuron=neuron, spike_presentation=presentation, n_neurons=neurons,
            presentation_ms=4.0, step_ms=0.5,
        )  # fmt: skip

    v = np.array([[-70.0, -60.0, 20.0], [1.0, 2.0, LATE]], np.float32)
    trace = results.traces(
        time=[0.0, 0.5, 1.0], stimulus=["step(1*nA)", "ramp(2*nA)"], given=(np.zeros((2, 3)), "uA/cm^2", "current"),
        level=[1.0, np.nan], variables={"v": (v, "mV", "membrane potential"), "n": (v / 10, "1", "an activation")},
    )  # fmt: skip
    return small_tree(
        raster={"input": raster((), 2), "excitatory": raster(EXCITATORY, 4)}, trace={"excitatory": trace},
        weights=weights(3),
    )  # fmt: skip


def test_presentations_follow_each_other(tree: xr.DataTree) -> None:
    recorded = recording(tree)
    assert (recorded.presentation, recorded.presentations) == (0.004, 3)
    assert recorded.lasts == pytest.approx(0.012)
    spikes = recorded.spikes["excitatory"]
    np.testing.assert_allclose(spikes.time, [0.001, 0.0075, 0.0085])
    assert spikes.neuron.tolist() == [0, 2, 0]
    assert [train.tolist() for train in spikes.trains()] == [
        pytest.approx([0.001, 0.0085]), [], pytest.approx([0.0075]), []
    ]  # fmt: skip
    assert [len(train) for train in recorded.spikes["input"].trains()] == [0, 0]
    assert {trace.name: trace.unit for trace in recorded.traces} == {"given": "uA/cm^2", "v": "mV", "n": ""}


def asked_for(*axes: str) -> xr.Dataset:
    numbers = {axis: [3, 7] for axis in axes}
    value = np.arange(2 * 3 * 2 ** len(axes), dtype=float).reshape(2, 3, *[2] * len(axes))
    return results.recording(
        value, variable="excitatory.v", unit="mV", axes=numbers, time_ms=[1.0, 1.5, 2.0], sample=[4, 5], image=[40, 50],
        label=[0, 1], asked="excitatory.v[3,7]@image=4:6@ms=1:2.5", phase="train",
    )  # fmt: skip


def test_what_was_asked_for_has_an_axis_of_its_own(tmp_path: Path) -> None:
    recorded = recording(small_tree(more={"recorded/excitatory.v": asked_for("element")}))
    first, second = recorded.traces
    assert (first.name, second.name, recorded.lasts) == ("v_presentation_0", "v_presentation_1", 0.0)
    assert second.values.tolist() == [[6, 7], [8, 9], [10, 11]]
    assert (second.begins, second.numbers) == (0.001, (3, 7))
    assert second.interval == pytest.approx(0.0005)
    assert "image 50 of its set" in second.meaning
    sonata_files.write(small_tree(more={"recorded/excitatory.v": asked_for("element")}), tmp_path / "a")
    with h5py.File(tmp_path / "a" / "excitatory_v_presentation_1.h5") as file:
        assert file["report/excitatory/mapping/node_ids"][:].tolist() == [3, 7]
        assert file["report/excitatory/mapping/time"][:].tolist() == pytest.approx([1.0, 2.5, 0.5])
    synapses = small_tree(more={"recorded/plastic.w": asked_for("pre", "post")})
    assert recording(synapses).traces[0].neurons == ("3 to 3", "3 to 7", "7 to 3", "7 to 7")
    with pytest.raises(NothingRecorded, match=r"plastic.w_presentation_0: is of synapses, and a SONATA report is of"):
        sonata_files.write(synapses, tmp_path / "b")


def test_neo_and_nwb_hold_what_was_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("neo", reason="Neo is not installed")
    pytest.importorskip("pynwb", reason="PyNWB is not installed")
    asked = small_tree(more={
        "recorded/excitatory.v": asked_for("element"), "recorded/plastic.w": asked_for("pre", "post")
    })  # fmt: skip
    segments = {segment.name: segment for segment in neo_files.block(asked).segments}
    (v,) = segments["excitatory v_presentation_1"].analogsignals
    assert v.rescale("mV").magnitude.tolist() == [[6, 7], [8, 9], [10, 11]]
    assert float(v.t_start.rescale("ms")) == pytest.approx(1.0)
    series = nwb_files.file(asked, BEGUN).acquisition
    assert series["excitatory_v_presentation_1"].starting_time == 0.001
    assert series["plastic_w_presentation_0"].data.shape == (3, 4)


def test_results_without_a_recording_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingRecorded, match="no spikes and no potentials were recorded: expected the results of"):
        sonata_files.write(small_tree(), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_neo_reads_what_is_written(tree: xr.DataTree, tmp_path: Path) -> None:
    io = pytest.importorskip("neo.io", reason="Neo is not installed")
    pytest.importorskip("nixio", reason="nixio is not installed")
    neo_files.write(tree, tmp_path / "a.nix")
    file = io.NixIO(str(tmp_path / "a.nix"), mode="ro")
    try:
        block = file.read_block()
        (segment,) = block.segments
        trains = {(t.annotations["population"], int(t.annotations["neuron"])): t for t in segment.spiketrains}
        assert len(trains) == 6
        assert trains["excitatory", 0].rescale("ms").magnitude.tolist() == pytest.approx([1.0, 8.5])
        assert trains["excitatory", 2].rescale("ms").magnitude.tolist() == pytest.approx([7.5])
        assert all(len(t) == 0 and float(t.t_stop.rescale("ms")) == pytest.approx(12) for k, t in trains.items()
                   if k not in (("excitatory", 0), ("excitatory", 2)))  # fmt: skip
        (epochs,) = segment.epochs
        assert epochs.times.rescale("ms").magnitude.tolist() == pytest.approx([0, 4, 8])
        assert epochs.durations.rescale("ms").magnitude.tolist() == pytest.approx([4, 4, 4])
        signals = {signal.name: signal for signal in segment.analogsignals}
        assert set(signals) == {"given", "v", "n"}
        v = signals["v"].rescale("mV")
        np.testing.assert_array_equal(v.magnitude, tree["trace/excitatory/v"].to_numpy().T)
        assert float(v.sampling_period.rescale("ms")) == pytest.approx(0.5)
        assert list(v.array_annotations["stimulus"]) == ["step(1*nA)", "ramp(2*nA)"]
        assert signals["given"].rescale("A/m**2").magnitude.shape == (3, 2)
    finally:
        file.close()


def test_a_unit_that_neo_does_not_know_is_kept(tree: xr.DataTree) -> None:
    pytest.importorskip("neo", reason="Neo is not installed")
    tree["trace/excitatory/v"].attrs["units"] = "spikes^per glance"
    signal = next(s for s in neo_files.block(tree).segments[0].analogsignals if s.name == "v")
    assert str(signal.dimensionality) == "dimensionless"
    assert signal.annotations["unit"] == "spikes^per glance"


def test_nwb_is_valid_and_read_again(tree: xr.DataTree, tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb", reason="PyNWB is not installed")
    nwb_files.write(tree, tmp_path / "a.nwb", BEGUN)
    assert not pynwb.validate(path=str(tmp_path / "a.nwb"))
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "r") as io:
        file = io.read()
        units = file.units.to_dataframe()
        assert list(zip(units["population"], units["neuron"], strict=True)) == [
            ("input", 0), ("input", 1), *(("excitatory", k) for k in range(4))
        ]  # fmt: skip
        assert [len(times) for times in units["spike_times"]] == [0, 0, 2, 0, 1, 0]
        assert units["spike_times"].iloc[2].tolist() == pytest.approx([0.001, 0.0085])
        assert file.trials.to_dataframe()["start_time"].tolist() == pytest.approx([0, 0.004, 0.008])
        v = file.acquisition["excitatory_v"]
        np.testing.assert_array_equal(v.data[:], tree["trace/excitatory/v"].to_numpy().T)
        assert (v.unit, v.rate) == ("mV", pytest.approx(2000))
        assert file.session_start_time == BEGUN
        assert file.units.resolution == pytest.approx(0.0005)
        assert "seed: 5" in file.notes


@pytest.mark.long
def test_nwb_is_as_its_inspector_wants_it(tree: xr.DataTree, tmp_path: Path) -> None:
    inspector = pytest.importorskip("nwbinspector", reason="nwbinspector is not installed")
    nwb_files.write(tree, tmp_path / "a.nwb", BEGUN)
    found = list(inspector.inspect_nwbfile(nwbfile_path=str(tmp_path / "a.nwb")))
    # a simulation has no subject; all else is as best practice has it
    kept = [message for message in found if message.check_function_name != "check_subject_exists"]
    wrong = [f"{m.importance.name} {m.check_function_name}: {m.message}" for m in kept
             if m.importance.name != "BEST_PRACTICE_SUGGESTION"]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_sonata_files_are_laid_out_as_specified(tree: xr.DataTree, tmp_path: Path) -> None:
    sonata_files.write(tree, tmp_path / "a")
    assert sorted(os.listdir(tmp_path / "a")) == [
        "excitatory_given.h5", "excitatory_n.h5", "excitatory_v.h5", "spikes.h5"
    ]  # fmt: skip
    with h5py.File(tmp_path / "a" / "spikes.h5") as file:
        assert (file.attrs["magic"], file.attrs["version"].tolist()) == (0x0A7A, [0, 1])
        group = file["spikes/excitatory"]
        assert h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype) == {"none": 0, "by_id": 1, "by_time": 2}
        assert group.attrs["sorting"] == 2
        assert group["timestamps"][:].tolist() == pytest.approx([1.0, 7.5, 8.5])
        assert group["node_ids"][:].tolist() == [0, 2, 0]
        assert group["timestamps"].attrs["units"] == "ms"
        assert file["spikes/input/timestamps"].shape == (0,)
    with h5py.File(tmp_path / "a" / "excitatory_v.h5") as file:
        report = file["report/excitatory"]
        np.testing.assert_array_equal(report["data"][:], tree["trace/excitatory/v"].to_numpy().T)
        assert report["mapping/time"][:].tolist() == [0.0, 1.5, 0.5]
        assert report["mapping/index_pointers"][:].tolist() == [0, 1, 2]


def test_libsonata_reads_what_is_written(tree: xr.DataTree, tmp_path: Path) -> None:
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    sonata_files.write(tree, tmp_path / "a")
    spikes = libsonata.SpikeReader(str(tmp_path / "a" / "spikes.h5"))
    assert sorted(spikes.get_population_names()) == ["excitatory", "input"]
    population = spikes["excitatory"]
    assert population.sorting == "by_time"
    node_ids, times = zip(*population.get(), strict=True)
    assert node_ids == (0, 2, 0)
    assert times == pytest.approx((1.0, 7.5, 8.5))
    report = libsonata.SomaReportReader(str(tmp_path / "a" / "excitatory_v.h5"))["excitatory"]
    assert list(report.get_node_ids()) == [0, 1]
    assert report.times == pytest.approx((0.0, 1.5, 0.5))
    np.testing.assert_array_equal(report.get().data, tree["trace/excitatory/v"].to_numpy().T)


def rows(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def test_tables_hold_every_number(tree: xr.DataTree, tmp_path: Path) -> None:
    """All that is in the tree is in the tables, to the last bit."""
    tables.write_csv(tree, tmp_path / "a")
    group_at, name_at, file_at, dimensions_at = range(4)
    head, *contents = rows(tmp_path / "a" / tables.CONTENTS)
    assert head == ["group", "variable", "file", "dimensions", "unit", "meaning"]
    there = {
        (n.path.strip("/"), str(k)): v
        for n in tree.subtree for k, v in n.to_dataset(inherit=False).variables.items()
    }  # fmt: skip
    assert {(row[group_at], row[name_at]) for row in contents} == set(there)
    for row in contents:
        variable = there[row[group_at], row[name_at]]
        head, *lines = rows(tmp_path / "a" / row[file_at])
        assert row[dimensions_at].split() == list(variable.dims)
        if variable.ndim > 1:
            kept = [line[variable.ndim - 1 :] for line in lines]
            assert head[: variable.ndim - 1] == list(variable.dims[:-1])
        else:
            kept = [[line[head.index(row[name_at])]] for line in lines]
        values = np.array(kept).astype(variable.dtype).reshape(variable.shape)
        np.testing.assert_array_equal(values, variable.to_numpy(), err_msg=f"{row}")
    assert ["/", "seed", "5"] in rows(tmp_path / "a" / tables.ATTRIBUTES)
    w = rows(tmp_path / "a" / "weights_input_to_excitatory_w.csv")
    assert (w[0], w[1][:2], w[-1][:2]) == (["samples_seen", "pre", "0", "1", "2"], ["0", "0"], ["6", "783"])


def test_arrays_hold_every_number_and_no_code(tree: xr.DataTree, tmp_path: Path) -> None:
    tables.write_npz(tree, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        for node in tree.subtree:
            for name, variable in node.to_dataset(inherit=False).variables.items():
                key = f"{node.path}/{name}".strip("/")
                np.testing.assert_array_equal(stored[key], variable.to_numpy().astype(stored[key].dtype), err_msg=key)
                assert about[key]["dimensions"] == list(variable.dims)
    assert about["attributes"]["/"]["model"] == "small"
    assert about["trace/excitatory/v"]["unit"] == "mV"


def test_nothing_is_written_over(tree: xr.DataTree, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("precious")
    with pytest.raises(FileNotWritten, match="something of this name is there already"):
        tables.write_npz(tree, tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_text() == "precious"


def test_what_fails_leaves_nothing(tree: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", fails)
    with pytest.raises(FileNotWritten, match="No space left"):
        sonata_files.write(tree, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named(tree: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(LibraryMissing, match=r'NWB needs the library pynwb.*pip install "hebbarium\[nwb\]"'):
        nwb_files.write(tree, tmp_path / "a.nwb", BEGUN)
    assert not list(tmp_path.iterdir())
