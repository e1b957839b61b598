"""The ledger, and the tables made from it."""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from hebbarium.ledger import ledger

DESIGN_COLUMNS = (
    "item,dataset,setting,readout,seed,measure,value,unit,paper,paper_spread,trained,tested,selection,device,"
    "precision,command,commit"
)


def row(neurons: str = "400", **changes: Any) -> ledger.Row:
    """A row of Table IV; `neurons` comes before the rest of the setting."""
    values: dict[str, Any] = {
        "item": "Table IV",
        "dataset": "mnist",
        "setting": "norm=L2 w_t=9 tau_p=60*ms",
        "readout": "most_active",
        "seed": 0,
        "measure": "accuracy",
        "value": 88.0,
        "unit": "%",
        "paper": 88.84,
        "paper_spread": None,
        "trained": 40_000,
        "tested": 10_000,
        "selection": "last",
        "device": "cpp",
        "precision": "float64",
        "command": 'hebbarium reproduce synaptic_scaling --set "tau_p=60*ms"',
        "commit": "abc",
    }
    values |= changes
    if neurons:
        values["setting"] = f"neurons={neurons} {values['setting']}".strip()
    return ledger.Row(**values)


def table_four() -> list[ledger.Row]:
    return [
        row(
            neurons=neurons,
            setting=f"norm=L2 w_t={w_t} tau_p=60*ms",
            seed=seed,
            value=base + seed,
            paper=paper,
        )
        for neurons, w_t, base, paper in [
            ("400", "11", 85.0, 86.96),
            ("400", "9", 87.0, 88.84),
            ("100", "9", 85.5, 86.3),
            ("100", "11", 84.0, None),
        ]
        for seed in range(3)
    ]


def test_columns_are_those_of_the_design(tmp_path: Path) -> None:
    ledger.append(tmp_path / "a.csv", [row()])
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == DESIGN_COLUMNS


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [
        row(),
        row(seed=1, value=87.125, paper=None, paper_spread=0.5, tested=None, command='with "quotes", and commas'),
    ]
    ledger.append(tmp_path / "new folder" / "a.csv", rows)
    assert ledger.read(tmp_path / "new folder" / "a.csv") == rows
    assert ledger.read(tmp_path / "none.csv") == []
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["a.csv"]


def test_a_cell_run_again_replaces_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    ledger.append(path, [row(), row(seed=1)])
    ledger.append(path, [row(value=89.0, commit="def"), row(precision="float32")])
    assert [(r.seed, r.value, r.precision) for r in ledger.read(path)] == [
        (0, 89.0, "float64"),
        (1, 88.0, "float64"),
        (0, 88.0, "float32"),
    ]


def _add(path: Path, first: int) -> None:
    for seed in range(first, first + 10):
        ledger.append(path, [row(seed=seed)])


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_add, args=(path, first)) for first in (0, 10, 20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(r.seed for r in ledger.read(path)) == list(range(30))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("item,value\nIV,3\n")
    with pytest.raises(
        ledger.LedgerError, match=r"a\.csv has the columns item,value; expected item,dataset"
    ):
        ledger.read(path)
    ledger.append(tmp_path / "b.csv", [row()])
    text = (tmp_path / "b.csv").read_text()
    path.write_text(text.replace("88.0,", "much,"))
    with pytest.raises(ledger.LedgerError, match=r"a\.csv, line 2.*much"):
        ledger.read(path)
    path.write_text(text.splitlines()[0] + "\nTable IV,mnist\n")
    with pytest.raises(ledger.LedgerError, match=r"a\.csv, line 2"):
        ledger.read(path)
    with pytest.raises(ledger.LedgerError, match="value of accuracy is 880"):
        row(value=880.0)
    with pytest.raises(ledger.LedgerError, match=r"value of accuracy is 0\.88 ; expected per cent"):
        row(value=0.88, unit="")
    with pytest.raises(ledger.LedgerError, match="item or measure is empty"):
        row(measure="")
    assert row(measure="rate", value=880.0, unit="Hz").value == 880
    with pytest.raises(ledger.LedgerError, match="selection is 'first'"):
        row(selection="first")


def test_mean_and_standard_error_over_seeds() -> None:
    cells = ledger.summarise([row(seed=s, value=a) for s, a in enumerate([86.0, 88.0, 87.0])])
    assert len(cells) == 1
    assert (cells[0].mean, cells[0].seeds, cells[0].paper) == (87.0, 3, 88.84)
    assert cells[0].error == pytest.approx(1 / math.sqrt(3), rel=1e-12)
    assert math.isnan(ledger.summarise([row()])[0].error)


@pytest.mark.parametrize(
    "difference",
    [{"trained": 16_000}, {"selection": "best"}, {"device": "cuda"}, {"readout": "class_mean"}, {"measure": "rate"}],
)
def test_unlike_runs_are_never_averaged(difference: dict[str, Any]) -> None:
    assert len(ledger.summarise([row(), row(seed=1, **difference)])) == 2


def test_contradictions_are_refused() -> None:
    with pytest.raises(ledger.LedgerError, match="seed appears twice"):
        ledger.summarise([row(), row(command="another")])
    with pytest.raises(ledger.LedgerError, match="paper's number"):
        ledger.summarise([row(), row(seed=1, paper=80.0)])


def test_a_table_in_the_shape_of_the_paper() -> None:
    assert ledger.markdown_table(table_four(), columns="w_t").splitlines() == [
        "| neurons | w_t 9 | w_t 11 |",
        "| --- | ---: | ---: |",
        "| 100 | 86.50 ± 0.58 / 86.30 | 85.00 ± 0.58 |",
        "| 400 | 88.00 ± 0.58 / 88.84 | 86.00 ± 0.58 / 86.96 |",
        "",
        "Within 2 points of the paper: 3 of 3 cells; root mean square difference 0.75 points, mean \N{MINUS SIGN}0.53; "
        "largest \N{MINUS SIGN}0.96 (neurons 400, w_t 11).",
        "",
        "In per cent, 3 seeds, mean ± standard error. Each cell: ours / paper. Table IV, dataset mnist, "
        "norm L2, tau_p 60 ms, readout most_active, images trained 40000, images tested 10000, "
        "selection last, device cpp, precision float64.",
    ]


def test_a_table_with_a_line_for_each_cell() -> None:
    rows = [row(seed=s, value=80.0 + s, readout=r) for r in ("most_active", "class_mean") for s in (0, 1)]
    lines = ledger.markdown_table([*rows, row(neurons="100", paper=None)]).splitlines()
    assert lines[:5] == [
        "| neurons | readout | ours | paper |",
        "| --- | --- | ---: | ---: |",
        "| 100 | most_active | 88.00 (1 seed) |  |",
        "| 400 | class_mean | 80.50 ± 0.50 | 88.84 |",
        "| 400 | most_active | 80.50 ± 0.50 | 88.84 |",
    ]
    assert "1 to 2 seeds" in lines[-1]


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ((90.84,), "1 of 1 cell; difference +2.00."),
        ((90.85,), "0 of 1 cell; difference +2.01."),
        ((86.84, 80.84), "1 of 2 cells; root mean square difference 5.83 points, mean −5.00; largest −8.00 (seed 1)."),
    ],
)
def test_a_verdict_says_how_many_are_near_and_what_misses_most(accuracies: tuple[float, ...], said: str) -> None:
    cells = [ledger.Mean(row(value=a, seed=k), a, math.nan, 1, 88.84) for k, a in enumerate(accuracies)]
    assert ledger.verdict(cells, ["seed"] if len(cells) > 1 else []) == f"Within 2 points of the paper: {said}"


def test_what_follows_from_the_size_is_told_once_below() -> None:
    rows = [
        row(neurons=neurons, setting=f"norm={norm} tau={tau}*ms", value=80.0)
        for neurons, tau in (("100", 6), ("400", 6), ("1600", 8))
        for norm in ("L1", "L2")
    ]
    lines = ledger.markdown_table(rows).splitlines()
    assert lines[0] == "| neurons | norm | ours | paper |"
    assert lines[-1].endswith("With 100, 400, 1600 neurons: tau 6 ms, 6 ms, 8 ms.")
    rows.append(row(neurons="100", setting="norm=L1 tau=9*ms"))  # now 100 neurons have two of them
    assert ledger.markdown_table(rows).splitlines()[0] == "| neurons | norm | tau | ours | paper |"


def test_a_measure_in_another_unit_is_near_within_the_spread_of_the_paper() -> None:
    rows = [
        row(measure="rate", unit="Hz", value=value, paper=10.0, paper_spread=spread, neurons=neurons)
        for neurons, value, spread in (("100", 10.5, 0.6), ("400", 11.0, 0.6), ("1600", 12.0, None))
    ]
    lines = ledger.markdown_table(rows).splitlines()
    assert lines[-3] == (
        "Within the paper's spread: 1 of 2 cells; root mean square difference 1.32 Hz, mean +1.17; "
        "largest +2.00 (neurons 1600)."
    )
    assert lines[-1].startswith("In Hz, 1 seed. Table IV, dataset mnist, norm L2,")
    assert "measure rate" in lines[-1]
    assert ledger.markdown_table(rows[2:]).splitlines()[-3] == "Difference +2.00 Hz."
    with pytest.raises(ledger.LedgerError, match="Rows are in % and Hz; choose one measure"):
        ledger.markdown_table([*rows, row()])


def test_measures_of_several_units_are_columns(tmp_path: Path) -> None:
    rows = [
        row(measure=measure, unit=unit, value=value, readout=readout, paper=None)
        for readout in ("input", "classes")
        for measure, unit, value in (("points", "", 3000), ("neighbours", "%", 91.876), ("silhouette", "", 0.04488))
    ]
    ledger.append(tmp_path / "model.csv", rows)
    lines = ledger.table_of("model IV columns=measure", tmp_path).splitlines()
    assert lines[0] == "| readout | points | neighbours (%) | silhouette |"
    assert lines[2] == "| classes | 3000 | 91.88 | 0.04488 |"
    assert lines[-1].startswith("1 seed. Table IV, dataset mnist,")


@pytest.mark.parametrize(
    ("short", "item"),
    [("IV", "Table IV"), ("1", "Table 1"), ("Fig.4c", "Fig. 4c"), ("Fig. 4", "Fig. 4"), ("Section7", "Section 7")],
)
def test_items_have_names_for_short(short: str, item: str) -> None:
    assert ledger.item_of(short) == ledger.item_of(item) == item
    assert ledger.item_of("two_hours") == "two_hours"


def test_a_marker_shows_accuracies_of_the_last_epoch_unless_it_says_otherwise(tmp_path: Path) -> None:
    more = [row(selection="best", value=90.0), row(measure="rate", unit="Hz", value=7.25, paper=None, readout="")]
    ledger.append(tmp_path / "model.csv", [row(), *more, row(item="search", value=66.0)])
    assert ledger.table_of("model IV", tmp_path) == ledger.markdown_table([row()])
    assert "90.00" in ledger.table_of("model IV selection=best", tmp_path)
    assert "7.25" in ledger.table_of("model IV measure=rate", tmp_path)
    assert "66.00" in ledger.table_of("model search", tmp_path)


def test_ledgers_are_told_from_other_tables(tmp_path: Path) -> None:
    ledger.append(tmp_path / "model.csv", [row()])
    (tmp_path / "literature_mnist.csv").write_text("network,accuracy\na,3\n")
    assert ledger.papers(tmp_path) == {"model": [row()]}


def test_wrong_columns_suggest_the_nearest() -> None:
    with pytest.raises(ledger.LedgerError, match=r"columns=w_tt .* Did you mean w_t"):
        ledger.markdown_table([row()], columns="w_tt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ledger.append(tmp_path / "results" / "model.csv", [*table_four(), row(item="Table VI", value=60.0)])
    (tmp_path / "results" / "benchmarks.csv").write_text(
        "name,value,unit,machine,commit\ntrain,222,images/s,x,abc\ntest,333,images/s,x,def\n"
    )
    return tmp_path / "results"


def test_rows_of_a_benchmark_file_are_chosen_by_words_of_their_names(tmp_path: Path) -> None:
    names = ("a: an image", "a: times as fast as b", "a: times as fast as b, by processor time")
    (tmp_path / "benchmarks.csv").write_text(
        "name,value,unit,machine,commit\n" + "".join(f'"{name}",{k},ms,this,abc\n' for k, name in enumerate(names))
    )
    assert ledger.table_of("benchmarks", tmp_path).count("\n| a") == 3
    chosen = ledger.table_of("benchmarks times_as -processor_time", tmp_path)
    assert chosen == "| name | value | unit |\n| --- | --- | --- |\n| a: times as fast as b | 1 | ms |\n\n" + (
        "All rows: machine this, commit abc."
    )
    assert ledger.table_of("benchmarks nothing", tmp_path) == "*No numbers yet.*"


def test_a_condition_may_name_several_values() -> None:
    rows = table_four()
    either = ledger.select(rows, neurons="100|400", measure=ledger.ACCURACY)
    each = [len(ledger.select(rows, neurons=size, measure=ledger.ACCURACY)) for size in ("100", "400")]
    assert min(each) > 0
    assert len(either) == sum(each)


def test_a_page_gets_what_it_asks_for(folder: Path) -> None:
    table = ledger.markdown_table(ledger.select(table_four(), neurons="400"), columns="w_t")
    assert ledger.table_of("model IV columns=w_t neurons=400", folder) == table
    assert ledger.table_of("model III", folder) == "*No numbers in the ledger yet.*"
    rows = "| train | 222 | images/s | abc |\n| test | 333 | images/s | def |\n\nAll rows: machine x."
    assert ledger.table_of("benchmarks", folder) == (
        f"| name | value | unit | commit |\n| --- | --- | --- | --- |\n{rows}"
    )


def test_rows_can_be_left_out(folder: Path) -> None:
    without = ledger.table_of("model IV columns=w_t neurons!=400", folder)
    assert without == ledger.table_of("model IV columns=w_t neurons=100", folder)
    assert without != ledger.table_of("model IV columns=w_t", folder)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("none IV", r"no ledger .*none\.csv; there are: benchmarks, model"),
        ("model IV neuron=400", "no row has neuron. Did you mean neurons"),
        ("model IV neuron!=400", "no row has neuron. Did you mean neurons"),
        ("model IV V", "'V' is neither"),
    ],
)
def test_what_is_not_there_is_told(folder: Path, what: str, message: str) -> None:
    with pytest.raises(ledger.LedgerError, match=message):
        ledger.table_of(what, folder)


def test_rows_hold_every_column() -> None:
    assert ",".join(field.name for field in dataclasses.fields(ledger.Row)) == DESIGN_COLUMNS
