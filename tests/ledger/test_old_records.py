"""Nothing of the formats of before is lost: what their files said is read back from the ledgers of today.

A row that is made anew says something else: then the line of its file in `EXPECTED` has done its work and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from hebbarium.ledger import ledger, networks, operations, robustness, rows, wall_times
from hebbarium.ledger.rows import Row
from hebbarium.studies.robustness import PERTURBATIONS
from tests.ledger import old_records
from tests.ledger.old_records import AWAITED, Facts, digest, facts, plain

RESULTS = Path(__file__).parents[2] / "results"
EXPECTED: dict[str, tuple[int, str]] = {
    "desire_backprop.csv": (28, "d75de9eae13fe1d7"),
    "diehl_cook.csv": (32, "830997dbdbc14eac"),
    "symmetric_stdp.csv": (129, "529a3f00473b0547"),
    "synaptic_scaling.csv": (504, "977cc42d6aecd5f6"),
    "desire_backprop_measurements.csv": (112, "325dc4e124659ccd"),
    "diehl_cook_measurements.csv": (52, "c1539e63a793361f"),
    "symmetric_stdp_measurements.csv": (162, "81fcba5789c6cea8"),
    "synaptic_scaling_measurements.csv": (996, "22b161763eabb046"),
    "hebbian_control.csv": (10, "05c07288f7a80fdc"),
    "symmetric_stdp_search.csv": (202, "408d5483f69344b7"),
    "desire_backprop_search.csv": (34, "8e73ae338b2facab"),
    "hebbian_control_search.csv": (104, "dea2253878e2d94e"),
    "symmetric_stdp_maps_400.csv": (28, "207e8a896a4283f8"),
    "symmetric_stdp_maps_1600.csv": (28, "e0c301e9d54caa93"),
    "desire_backprop_layers.csv": (216, "9a150c5e6eda61e7"),
    "operations.csv": (206, "d665e9660728b7af"),
    "robustness.csv": (280, "e501ddc25c59b8c5"),
    "wall_times.csv": (2, "353dee3222fb94e0"),
}
"""By file of before: how many values it had, and a digest of them with all that told them apart."""
COMMITS = frozenset((
    "", "0a4b3bfbd8ed", "231f0044423d", "2a2923543e95", "326da7b151ca", "34a3385413d9", "35c00f05dd0a",
    "36f83ce37337", "42c97354391e", "45235e502fde", "458ab6ea2c25", "47bff41f8190", "57b6b9b2a474",
    "5dd972ec408d", "604c34633f4b", "69cc7d4e3f16", "6b6d02952cf1", "77ef11aa9b2c", "787e353ba46f",
    "7a249416d65a", "7ad3a46f8c69", "915098667985", "92adddd36477", "933c774448e7", "a6396bb71ea4",
    "a88185db30e7", "aa3c30db1fe7", "b32d31e98e76", "bb9f36bdc352", "c0707687c6f1", "c8ef94079a77",
    "defd95bd8dda", "e31a0ebbedee", "e4345d72dc8b", "f4ea23d8a441", "f8c636c8f916", "f9bb0cfd2de4",
))  # fmt: skip
"""That made rows of before; rows of later ones are no part of this."""
STUDIES = ("search", "hebbian_control", "hebbian_control_search", "maps", "layers", "operations", "robustness")


# -- today's rows, in the words of before ----------------------------------------------------------------------
def table_of(item: str) -> str:
    for long, short in (("Table ", ""), ("Fig. ", "Fig."), ("Section ", "Section")):
        item = item.replace(long, short)
    return item


def setting_of(row: Row, *left_out: str) -> str:
    return rows.without(row.setting, "neurons", *left_out)


def text(value: object) -> str:
    return "" if value is None else plain(str(value))


def accuracy(row: Row, table: str) -> tuple[str, ...]:
    values = (
        table, row.dataset, row.neurons, setting_of(row), row.readout, row.seed, row.value, row.paper, row.trained,
        row.tested, row.selection, row.device, row.precision, row.command, row.commit,
    )  # fmt: skip
    return tuple(map(text, values))


def measurement(row: Row) -> tuple[str, ...]:
    quantity = "best_accuracy" if row.selection == ledger.BEST else row.measure
    values = (
        row.dataset, row.neurons, setting_of(row), row.seed, row.trained, quantity, row.value, row.unit, row.commit
    )  # fmt: skip
    return tuple(map(text, values))


def symmetric_search(row: Row) -> tuple[str, ...]:
    own, _, _ = row.setting.partition(f" {old_records.VALIDATED}")
    symbols = row.symbols
    values = (
        row.dataset, row.neurons, rows.without(own, "neurons", "rest", "epochs"), symbols["rest"], symbols["epochs"],
        row.seed, row.trained, row.tested, row.commit, row.readout, row.value,
    )  # fmt: skip
    return tuple(map(text, values))


def desire_search(row: Row) -> tuple[str, ...]:
    symbols = {**row.symbols}
    assert symbols.pop("evaluate_on") == "validation"
    values = (row.dataset, *symbols.values(), row.seed, row.trained, row.tested, row.commit, row.readout, row.value)
    return tuple(map(text, values))


def control_search(row: Row) -> tuple[str, ...]:
    return desire_search(row)[1:-3] + desire_search(row)[-2:]


def named_number(row: Row) -> tuple[str, ...]:
    return tuple(map(text, (row.readout, row.measure, row.value)))


def of_layers(given: list[Row]) -> Iterator[tuple[str, ...]]:
    for row in given:
        layers = ("hidden_1", "hidden_2", "output") if row.measure == ledger.ACCURACY else (row.readout,)
        for layer in layers:
            yield tuple(map(text, (row.trained, layer, row.measure, row.value)))


def of_operations(papers: dict[str, list[Row]]) -> Iterator[tuple[str, ...]]:
    renamed = {"energy": "energy_nj", "conventional_energy": "conventional_energy_nj"}
    for model, given in papers.items():
        for network, mine in networks.grouped(model, operations.ITEM, given, operations.PHASE).items():
            (accuracy_of_run,) = (row.value for row in mine if row.measure == ledger.ACCURACY)
            for phase in dict.fromkeys(row.symbols.get(operations.PHASE, "") for row in mine):
                of_phase = [row for row in mine if phase and row.symbols.get(operations.PHASE) == phase]
                numbers = {
                    f"{row.measure}:{row.readout}" if row.readout else renamed.get(row.measure, row.measure): row.value
                    for row in of_phase
                }
                if of_phase:
                    numbers |= {"accuracy": accuracy_of_run, "images": of_phase[0].tested or 0}
                for measure, value in numbers.items():
                    values = (
                        network.model, network.layers, network.dataset,
                        rows.without(network.setting, "neurons", "layers"), network.seed, network.trained, phase,
                        network.command, network.commit, measure, value,
                    )  # fmt: skip
                    yield tuple(map(text, values))


def of_robustness(folder: Path) -> Iterator[tuple[str, ...]]:
    for answer in robustness.read(folder):
        network = answer.network
        if network.commit not in COMMITS:
            continue
        units = "" if answer.level is None else PERTURBATIONS[answer.perturbation].units
        values = (
            network.model, network.layers, network.dataset, rows.without(network.setting, "neurons", "layers"),
            network.seed, network.trained, answer.perturbation, answer.level, units, answer.draw, answer.readout,
            answer.accuracy, answer.images, network.command, network.commit,
        )  # fmt: skip
        yield tuple(map(text, values))


def of_wall_times(folder: Path) -> Iterator[tuple[str, ...]]:
    for entries in wall_times.table(folder / wall_times.FILE)[1:]:
        if entries[-1] in COMMITS:
            yield tuple(map(text, entries))


def read_back(folder: Path) -> Facts:
    """What the files of before said, from ledgers of today."""
    papers = {
        model: [row for row in given if row.commit in COMMITS and not row.commit.startswith(AWAITED)]
        for model, given in rows.papers(folder).items()
    }
    found: dict[str, Iterable[tuple[str, ...]]] = {}
    for model, given in papers.items():
        of_tables = [row for row in given if row.item not in STUDIES]
        at_last = [row for row in of_tables if (row.measure, row.selection) == (ledger.ACCURACY, ledger.LAST)]
        found[f"{model}.csv"] = [accuracy(row, table_of(row.item)) for row in at_last]
        found[f"{model}_measurements.csv"] = [
            measurement(row) for row in of_tables if (row.measure, row.selection) != (ledger.ACCURACY, ledger.LAST)
        ]

    def item(model: str, name: str, told: Callable[[Row], tuple[str, ...]], **where: str) -> Iterator[tuple[str, ...]]:
        return (told(row) for row in rows.select(papers.get(model, []), item=name, **where))

    found["hebbian_control.csv"] = item("symmetric_stdp", "hebbian_control", lambda row: accuracy(row, "Section 7"))
    found["symmetric_stdp_search.csv"] = item("symmetric_stdp", "search", symmetric_search)
    found["desire_backprop_search.csv"] = item("desire_backprop", "search", desire_search)
    found["hebbian_control_search.csv"] = item("symmetric_stdp", "hebbian_control_search", control_search)
    for size in old_records.MAPPED:
        found[f"symmetric_stdp_maps_{size}.csv"] = item("symmetric_stdp", "maps", named_number, neurons=size)
    found["desire_backprop_layers.csv"] = of_layers(rows.select(papers.get("desire_backprop", []), item="layers"))
    found["operations.csv"] = of_operations(papers)
    found["robustness.csv"] = of_robustness(folder)
    found["wall_times.csv"] = of_wall_times(folder)
    return {name: sorted(lines) for name, lines in found.items()}


# -- tests -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def read_back_here() -> Facts:
    return read_back(RESULTS)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_files_of_before_said_is_in_the_ledgers(read_back_here: Facts, name: str) -> None:
    lines = read_back_here[name]
    assert (len(lines), digest(lines)) == EXPECTED[name]


ACCURACIES = (
    "table,dataset,neurons,setting,readout,seed,accuracy,paper,images_trained,images_tested,selection,device,precision,"
    "command,commit"
)
MEASUREMENTS = "dataset,neurons,setting,seed,images_trained,quantity,value,unit,commit"
SEARCHED = "dataset,layers,eta,eta_decay,p_hidden,p_input,reading,epochs,seed,images_trained,images_validated"
DISTURBED = (
    "model,layers,dataset,setting,seed,images_trained,perturbation,level,units,draw,readout,accuracy,images,command,commit"
)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some files of before, one row by an earlier commit in each."""
    monkeypatch.setattr(f"{__name__}.COMMITS", frozenset({"abc", "def"}))
    folder = tmp_path / "old"
    folder.mkdir()
    run = '"layers=20,10 epochs=3"'
    accuracies = [
        f"1,mnist,,{run},class_layer,{seed},9{seed}.5,98.41,180000,10000,last,dense,float32,hebbarium train,{commit}"
        for seed, commit in ((0, "abc"), (1, "def"))
    ]
    measured = [
        f"mnist,,{run},{seed},180000,{quantity},{value},{unit},{commit}"
        for seed, commit in ((0, "abc"), (1, "def"))
        for quantity, value, unit in (("best_accuracy", 97.5, "%"), ("training_time", 0.25, "s"))
    ]
    searched = ['mnist,"20,10",2e-05,0.12,0.3,0,code,10,0,550000,5000,92.92,abc']
    disturbed = [
        f"desire_backprop,784-20-10-10,mnist,reading=paper,0,10000,{what},class_layer,90.5,5000,hebbarium train,abc"
        for what in ("none,,,", "noise,0.1,share of full intensity,2")
    ]
    for name, header, lines in (
        ("desire_backprop", ACCURACIES, accuracies),
        ("desire_backprop_measurements", MEASUREMENTS, measured),
        ("desire_backprop_search", f"{SEARCHED},class_layer,commit", searched),
        ("robustness", DISTURBED, disturbed),
    ):
        (folder / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def test_files_of_before_are_carried_over(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert old_records.main([str(old), str(new)]) == 0
    assert {name: lines for name, lines in read_back(new).items() if lines} == {
        name: lines for name, lines in facts(old).items() if lines
    }
    by_item = {row.item: row for row in ledger.read(new / "desire_backprop.csv")}
    assert by_item["search"].setting.endswith("reading=code epochs=10 evaluate_on=validation")
    assert by_item["robustness"].setting == "layers=20,10 reading=paper perturbation=noise level=0.1 draw=2"
    best = ledger.select(ledger.read(new / "desire_backprop.csv"), item="Table 1", selection=ledger.BEST)
    assert [(row.measure, row.value, row.readout) for row in best] == [("accuracy", 97.5, "class_layer")] * 2
    before = (new / "desire_backprop.csv").read_text()
    old_records.convert(old, new)
    assert (new / "desire_backprop.csv").read_text() == before, "a second time changes nothing"


def test_what_one_commit_made_is_carried_over_alone(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert old_records.convert(old, new, "def")["desire_backprop"] == 3
    assert {(row.seed, row.commit) for row in ledger.read(new / "desire_backprop.csv")} == {(1, "def")}
    text = (old / "desire_backprop.csv").read_text()
    (old / "desire_backprop.csv").write_text(text.replace("90.5", "11.5").replace("91.5", "12.5"))
    old_records.convert(old, new, "def")
    rows_of_now = ledger.select(ledger.read(new / "desire_backprop.csv"), measure="accuracy", selection=ledger.LAST)
    assert [row.value for row in rows_of_now] == [12.5]


def test_benchmarks_measured_anew_leave_the_wall_times(old: Path, tmp_path: Path) -> None:
    (old / "wall_times.csv").write_text("made,runs,processes,wall time (min),machine,commit\na: IV,4,2,1.5,this,abc\n")
    new = tmp_path / "new"
    old_records.convert(old, new)
    wall_times.note(new / wall_times.FILE, "b: V", 6, 2, 120, "this", "def")
    (old / wall_times.FILE).write_text(f"{','.join(wall_times.COLUMNS)}\nan image,0.25,ms,this,def\n")
    assert old_records.main([str(old), str(new), "--benchmarks"]) == 0
    assert (new / wall_times.FILE).read_text().splitlines()[1:] == [
        "an image,0.25,ms,this,def",
        '"a: IV: wall time, 4 runs in 2 processes",1.5,min,this,abc',
        '"b: V: wall time, 6 runs in 2 processes",2.0,min,this,def',
    ]


def test_a_folder_without_files_of_before_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert old_records.main([str(tmp_path), str(tmp_path)]) == 1
    assert "holds no table of before" in capsys.readouterr().err
    assert old_records.main([str(RESULTS), str(tmp_path)]) == 1, "other tables have no form of before"
