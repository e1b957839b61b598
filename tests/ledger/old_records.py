"""Results in the formats of before, read and carried over to the one row type.

    python -m tests.ledger.old_records OLD results                     # everything
    python -m tests.ledger.old_records OLD results --made-by eb638bf   # only rows that this commit made
    python -m tests.ledger.old_records OLD results --benchmarks        # only benchmarks, measured anew

``OLD`` is a folder with the files of before; it is only read. Rows of the same cell and seed are replaced, all others
stay. ``benchmarks.csv`` has kept its format; that of ``OLD`` takes the place of ours when asked for, and what it does
not hold, how long tables took to make, stays.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from hebbarium.files import whole_files
from hebbarium.ledger import networks, operations, robustness, rows, wall_times
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.operations import KINDS, PROCESSES, SampleCost
from hebbarium.ledger.rows import ACCURACY, BEST, LAST, PER_CENT, Row
from hebbarium.studies import reproduction
from hebbarium.studies.reproduction import Cell

MODELS = ("desire_backprop", "diehl_cook", "symmetric_stdp", "synaptic_scaling")
CONTROL = "symmetric_stdp"
"""In whose paper the rate-based network is proposed as a control."""

Record = dict[str, str]
ByPaper = dict[str, list[Row]]

SEARCHED = {
    ("mnist", "100"): "tau_theta=6000000*ms theta_plus=0.07*mV a_plus=0.0005 a_plus_class=0.004 w_ie=34",
    ("mnist", "400"): "tau_theta=6000000*ms theta_plus=0.07*mV a_plus=0.0005 a_plus_class=0.004",
    ("mnist", "1600"): "tau_theta=8000000*ms theta_plus=0.07*mV a_plus=0.002 a_plus_class=0.008",
    ("mnist", "6400"): "tau_theta=20000000*ms theta_plus=0.05*mV a_plus=0.001 a_plus_class=0.004",
    ("fashion-mnist", "400"): (
        "tuned_for=fashion-mnist tau_theta=50000000*ms a_plus=0.002 a_plus_class=0.032 beta=0.025 theta_plus=0.05*mV "
        "v_thresh=-80*mV mean_pixel=30 w_max_class=40 beta_class=0.05"
    ),
}
"""What followed from data set and size in all commits by which Hao et al.'s constants were searched, as far as the
search did not set it: ``models/symmetric_stdp.py`` as it was there."""

VALIDATED = "evaluate_on=validation"
MAPPED = {"400": "w_ie=22", "1600": "w_ie=12"}
"""Whose maps were drawn: the simultaneously trained networks of Table 1, seed 0, with the model's own inhibition."""
LAYERED = "layers=1600,800 epochs=150"
"""Whose layers were measured: the first network of Table 1 of Gerlinghoff et al."""
MAP_MEASURES = {
    "points": "", "distinct": "", "silent": "", "neighbours": PER_CENT, "silhouette": "",
    "neighbours_on_map": PER_CENT, "silhouette_on_map": "",
}  # fmt: skip
LAYER_MEASURES = ("loss", "spikes", "wanted_up", "wanted_down", "forward", "backward", "updated")
ON_LAYERS = 1000
"""Test images of which layers were measured."""
ALL_TESTED = 10_000
_POPULATIONS = {
    "synaptic_scaling": ("input", "excitatory"),
    "diehl_cook": ("input", "excitatory"),
    "symmetric_stdp": ("input", "excitatory", "classes"),
}


def table(path: Path) -> list[Record]:
    """Records of a file, none if there is no such file, or none of before."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return [] if tuple(reader.fieldnames or ()) == rows.COLUMNS else list(reader)


def converted(old: Path) -> ByPaper:
    """All records of a folder as rows, by paper."""
    found: ByPaper = {
        model: [with_spread(model, row) for row in _accuracies(table(old / f"{model}.csv"))] for model in MODELS
    }
    of_table_1 = found["symmetric_stdp"]
    for model in MODELS:
        found[model] += _measurements(table(old / f"{model}_measurements.csv"), list(found[model]))
    found[CONTROL] += _accuracies(table(old / "hebbian_control.csv"), item="hebbian_control")
    found["symmetric_stdp"] += _search(table(old / "symmetric_stdp_search.csv"), _symmetric_setting)
    found["desire_backprop"] += _search(table(old / "desire_backprop_search.csv"), _desire_setting)
    found[CONTROL] += _search(
        table(old / "hebbian_control_search.csv"), _control_setting, "hebbian_control_search", "numpy", "float32"
    )
    for size, inhibition in MAPPED.items():
        of = [row for row in of_table_1 if row.item == "Table 1" and row.neurons == size and inhibition in row.setting]
        found["symmetric_stdp"] += _maps(table(old / f"symmetric_stdp_maps_{size}.csv"), of)
    found["desire_backprop"] += _layers(table(old / "desire_backprop_layers.csv"), found["desire_backprop"])
    for model, given in _operations(table(old / "operations.csv")):
        found[model] += given
    for model, given in _robustness(table(old / "robustness.csv")).items():
        found[model] += given
    for given in found.values():
        one_each(given)
    return found


def cell_of(model: str, row: Row) -> Cell | None:
    """The cell of a paper that a row is of: of those that begin its setting, the one that says most."""
    cells = {f"{reproduction.sized_setting(cell)} ": cell for cell in reproduction.paper_of(model).cells
             if (rows.item_of(cell.table), cell.dataset) == (row.item, row.dataset)}  # fmt: skip
    beginnings = [beginning for beginning in cells if f"{row.setting} ".startswith(beginning)]
    return cells[max(beginnings, key=len)] if beginnings else None


def with_spread(model: str, row: Row) -> Row:
    """A row with what the paper prints behind ±, which files of before did not have."""
    cell = cell_of(model, row)
    return dataclasses.replace(row, paper_spread=cell.spreads.get(row.readout)) if cell else row


def one_each(given: Iterable[Row]) -> None:
    """Refuse rows of which one would replace another."""
    seen: dict[object, Row] = {}
    for row in given:
        other = seen.setdefault(row.key, row)
        if other != row:
            raise SystemExit(f"two rows of one cell and seed:\n{other}\n{row}")


# -- each format -----------------------------------------------------------------------------------------------


def _commit(record: Record) -> str:
    return record.get("commit", "").replace("-changed", "-dirty")


def _with_neurons(neurons: str, *more: str) -> str:
    return " ".join(filter(None, (f"neurons={neurons}" if neurons else "", *more)))


def _accuracies(records: Iterable[Record], item: str = "") -> Iterator[Row]:
    for record in records:
        yield Row(
            item=item or rows.item_of(record["table"]),
            dataset=record["dataset"],
            setting=_with_neurons(record["neurons"], record["setting"]),
            readout=record["readout"],
            seed=int(record["seed"]),
            measure=ACCURACY,
            value=float(record["accuracy"]),
            unit=PER_CENT,
            paper=float(record["paper"]) if record["paper"] else None,
            paper_spread=None,
            trained=int(record["images_trained"]),
            tested=int(record["images_tested"]),
            selection=record["selection"],
            device=record["device"],
            precision=record["precision"],
            command=record["command"],
            commit=_commit(record),
        )


def _measurements(records: Iterable[Record], accuracies: Sequence[Row]) -> Iterator[Row]:
    """Each is of a run that has an accuracy, but for times that were measured for the claims."""
    for record in records:
        setting, seed = _with_neurons(record["neurons"], record["setting"]), int(record["seed"])
        trained = int(record["images_trained"])
        of_run = [
            row
            for row in accuracies
            if (row.dataset, row.setting, row.seed, row.trained) == (record["dataset"], setting, seed, trained)
        ]
        same_commit = [row for row in of_run if row.commit == _commit(record)]
        row = Row(
            item="claims", dataset=record["dataset"], setting=setting, readout="", seed=seed,
            measure=record["quantity"], value=float(record["value"]), unit=record["unit"], paper=None,
            paper_spread=None, trained=trained, tested=None, selection=LAST, device="dense", precision="float32",
            command="hebbarium reproduce synaptic_scaling --claims --measure", commit=_commit(record),
        )  # fmt: skip
        if same_commit:
            run = same_commit[0]
            row = dataclasses.replace(
                row, item=run.item, tested=run.tested, device=run.device, precision=run.precision, command=run.command
            )
            if row.measure == "best_accuracy":
                row = dataclasses.replace(row, readout=run.readout, measure=ACCURACY, selection=BEST, paper=run.paper)
        elif of_run or trained != 2000:
            raise SystemExit(f"{record}: no run of this setting was made by this commit")
        yield row


def _search(
    records: Iterable[Record], setting: Callable[[Record], str], item: str = "search", device: str = "",
    precision: str = "",
) -> Iterator[Row]:  # fmt: skip
    """Accuracies on images held out, by readout; device, precision and command were not kept."""
    for record in records:
        for readout in ("most_active", "class_mean", "class_layer", "label_statistics"):
            if record.get(readout):
                yield Row(
                    item=item, dataset=record.get("dataset", "mnist"), setting=setting(record), readout=readout,
                    seed=int(record["seed"]), measure=ACCURACY, value=float(record[readout]), unit=PER_CENT,
                    paper=None, paper_spread=None, trained=int(record["images_trained"]),
                    tested=int(record["images_validated"]), selection=LAST, device=device, precision=precision,
                    command="", commit=_commit(record),
                )  # fmt: skip


def _symmetric_setting(record: Record) -> str:
    given = rows.symbols_of(record["setting"])
    followed = rows.symbols_of(SEARCHED[record["dataset"], record["neurons"]])
    more = (f"{symbol}={text}" for symbol, text in followed.items() if symbol not in given)
    own = _with_neurons(record["neurons"], record["setting"])
    return " ".join([own, f"rest={record['rest']}", f"epochs={record['epochs']}", VALIDATED, *more])


def _desire_setting(record: Record) -> str:
    names = ("layers", "eta", "eta_decay", "p_hidden", "p_input", "reading", "epochs")
    return " ".join([*(f"{name}={record[name]}" for name in names), VALIDATED])


def _control_setting(record: Record) -> str:
    names = ("neurons", "winners", "eta", "eta_class", "bias_step", "bias_decay", "epochs")
    return " ".join([*(f"{name}={record[name]}" for name in names), VALIDATED])


def _maps(records: Iterable[Record], of_run: Sequence[Row]) -> Iterator[Row]:
    for record in records:
        run = next(row for row in of_run if row.seed == 0 and "schedule=simultaneous" in row.setting)
        for measure, unit in MAP_MEASURES.items():
            yield dataclasses.replace(
                run, item="maps", setting=rows.without(run.setting, "schedule", "epochs"), readout=record["map"],
                measure=measure, value=float(record[measure]), unit=unit, paper=None, paper_spread=None,
                tested=None if record["map"].endswith("weights") else int(record["points"]),
            )  # fmt: skip


def _layers(records: Sequence[Record], known: Sequence[Row]) -> list[Row]:
    made = {}
    for record in records:
        run = next(row for row in known if row.item == "Table 1" and row.setting == LAYERED)
        sizes = dict(zip(("hidden_1", "hidden_2", "output"), ("1600", "800", "10"), strict=True))
        assert record["neurons"] == sizes[record["layer"]]
        shared = dataclasses.replace(
            run, item="layers", setting=rows.without(run.setting, "epochs"), paper=None, paper_spread=None,
            tested=ON_LAYERS, trained=int(record["samples_seen"]),
        )  # fmt: skip
        row = dataclasses.replace(shared, value=float(record["accuracy"]))
        made[row.key] = row  # once for all layers
        for measure in LAYER_MEASURES:
            row = dataclasses.replace(
                shared, readout=record["layer"], measure=measure, value=float(record[measure]), unit=""
            )
            made[row.key] = row
    return list(made.values())


def _network(record: Record) -> TrainedNetwork:
    layers = [int(size) for size in record["layers"].split("-")]
    hidden = [f"hidden_{k}" for k in range(1, len(layers) - 1)]
    populations = _POPULATIONS.get(record["model"], ("input", *hidden, "output"))
    own = f"neurons={layers[1]}" if record["model"] in _POPULATIONS else f"layers={','.join(map(str, layers[1:-1]))}"
    return TrainedNetwork(
        record["model"], record["dataset"], " ".join(filter(None, (own, record["setting"]))), int(record["seed"]),
        tuple(zip(populations, layers, strict=True)), int(record["images_trained"]), "dense", "float32",
        record["command"], _commit(record),
    )  # fmt: skip


def _pairs(text: str) -> dict[str, float]:
    return {name: float(number) for name, number in rows.symbols_of(text).items()}


def _operations(records: Iterable[Record]) -> Iterator[tuple[str, list[Row]]]:
    for record in records:
        ours, conventional = (
            {
                process: {kind: float(record.get(f"{prefix}{process}_{kind}") or 0) for kind in KINDS}
                for process in PROCESSES
            }
            for prefix in ("", "conventional_")
        )
        skipped, idle = (float(record[name]) if record[name] else None for name in ("skipped", "idle"))
        cost = SampleCost(
            _network(record), float(record["accuracy"]), ALL_TESTED, record["phase"], int(record["images"]),
            float(record["presentations"]), float(record["synaptic_events"]), _pairs(record["spikes"]), ours,
            conventional, skipped, idle, _pairs(record["picojoules"]),
        )  # fmt: skip
        # energies had been computed before their counts were rounded
        energies = {name: float(record[f"{name}_nj"]) for name in ("energy", "conventional_energy")}
        made = operations.rows_of(cost)
        yield record["model"], [dataclasses.replace(r, value=energies.get(r.measure, r.value)) for r in made]


def _robustness(records: Iterable[Record]) -> ByPaper:
    by_network: dict[TrainedNetwork, list[Row]] = {}
    for record in records:
        network = _network(record)
        answer = robustness.DisturbedAnswer(
            network, record["perturbation"], float(record["level"]) if record["level"] else None,
            int(record["draw"]) if record["draw"] else None, record["readout"], float(record["accuracy"]),
            int(record["images"]),
        )  # fmt: skip
        by_network.setdefault(network, []).append(answer.as_row())
    found: ByPaper = {}
    for network, made in by_network.items():
        found.setdefault(network.model, []).extend(networks.with_sizes(network, robustness.ITEM, made))
    return found


# -- what must not be lost -------------------------------------------------------------------------------------
Facts = dict[str, list[tuple[str, ...]]]
"""By file of before: what it says, a value with all that tells it from others."""

AWAITED = "12e20677a00e"
"""Of rows that are made anew: the code that made them differed from this commit."""
FILES = (
    *(f"{model}.csv" for model in MODELS), *(f"{model}_measurements.csv" for model in MODELS), "hebbian_control.csv",
    "symmetric_stdp_search.csv", "desire_backprop_search.csv", "hebbian_control_search.csv",
    *(f"symmetric_stdp_maps_{size}.csv" for size in MAPPED), "desire_backprop_layers.csv", "operations.csv",
    "robustness.csv", "wall_times.csv",
)  # fmt: skip
_VALUES = {
    "search": ("most_active", "class_mean", "class_layer", "label_statistics"),
    "maps": tuple(MAP_MEASURES),
    "layers": ("accuracy", *LAYER_MEASURES),
    "operations": (
        "accuracy", "images", "presentations", "synaptic_events", "skipped", "idle",
        *(f"{process}_{kind}" for process in PROCESSES for kind in KINDS),
        "conventional_forward_multiplications", "conventional_forward_additions",
        "conventional_backward_multiplications", "conventional_update_multiplications", "energy_nj",
        "conventional_energy_nj",
    ),
}  # fmt: skip
"""Columns of wide tables that hold values; all others tell a record from others."""


def plain(text: str) -> str:
    """A number in one spelling, other text as it is."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def facts(old: Path) -> Facts:
    """What the files of before say."""
    return {name: sorted(_facts(name, table(old / name))) for name in FILES}


def _facts(name: str, records: Iterable[Record]) -> Iterator[tuple[str, ...]]:
    kind = next((kind for kind in _VALUES if kind in name), "")
    for record in records:
        if record.get("commit", "").startswith(AWAITED):
            continue
        if not kind:
            yield tuple(map(plain, record.values()))
            continue
        spread = dict(record)
        pairs_of = (("spikes", "spikes_a_neuron:{}"), ("picojoules", "cost_of_{}")) if kind == "operations" else ()
        for pairs, measure in pairs_of:
            spread |= {measure.format(key): text for key, text in rows.symbols_of(spread.pop(pairs, "")).items()}
        values = {
            column: spread.pop(column) for column in list(spread) if column in _VALUES[kind] or column not in record
        }
        if kind == "layers":
            del spread["neurons"]  # which the setting says
        for measure, text in values.items():
            if text:
                yield (*map(plain, spread.values()), measure, plain(text))


def digest(lines: Sequence[tuple[str, ...]]) -> str:
    """Of all facts of a file, whatever their order."""
    text = "\n".join("\t".join(entries) for entries in sorted(lines))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# -- carrying over ---------------------------------------------------------------------------------------------


def convert(old: Path, new: Path, made_by: str = "") -> dict[str, int]:
    """Carry everything over, or what one commit made; returns how many rows by paper."""
    counts = {}
    for model, given in converted(old).items():
        chosen = [row for row in given if row.commit.startswith(made_by)]
        if chosen:
            rows.append(new / f"{model}.csv", chosen)
        counts[model] = len(chosen)
    for record in table(old / "wall_times.csv"):
        if record["commit"].startswith(made_by):
            seconds = 60 * float(record["wall time (min)"])
            wall_times.note(
                new / wall_times.FILE, record["made"], int(record["runs"]), int(record["processes"]), seconds,
                record["machine"], record["commit"],
            )  # fmt: skip
    return counts


def take_benchmarks(old: Path, new: Path) -> int:
    """Put the rows of one ``benchmarks.csv`` in place of another's, wall times excepted; returns how many."""
    path = new / wall_times.FILE
    kept = [row for row in rows.records(path, wall_times.COLUMNS, dict) if wall_times.is_one(row["name"])]
    measured = rows.records(old / wall_times.FILE, wall_times.COLUMNS, dict)
    whole_files.write_table(path, wall_times.COLUMNS, [list(row.values()) for row in [*measured, *kept]])
    return len(measured)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.old_records", description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="folder of the files of before")
    parser.add_argument("new", type=Path, help="folder of the ledgers")
    parser.add_argument("--made-by", default="", metavar="COMMIT", help="only rows of this commit")
    parser.add_argument("--benchmarks", action="store_true", help="only benchmarks.csv, which has kept its format")
    given = parser.parse_args(arguments)
    if given.benchmarks:
        print(f"benchmarks: {take_benchmarks(given.old, given.new)} rows")
        return 0
    if not any(table(given.old / name) for name in FILES):
        print(f"{given.old}: holds no table of before", file=sys.stderr)
        return 1
    for model, count in convert(given.old, given.new, given.made_by).items():
        print(f"{model}: {count} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
