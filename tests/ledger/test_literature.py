"""The literature table, and ours beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hebbarium.ledger import ledger, literature
from hebbarium.studies import reproduction
from tests.ledger.test_ledger import row

RESULTS = Path(__file__).parents[2] / "results"
OURS = reproduction.literature()
HAO = OURS["literature_mnist"]
HEADER = "network,learning_method,training_type,supervised,accuracy,source,reference"
NOTHING = literature.Table(("network", "learning_method", "accuracy", "source"), ())


def ours(**changes: Any) -> ledger.Row:
    values: dict[str, Any] = {
        "item": "Table 1", "setting": "", "readout": "class_layer", "trained": 300_000, "paper": 91.13
    }  # fmt: skip
    return row(**(values | changes))


def test_the_papers_table_is_whole() -> None:
    table = literature.read(RESULTS / "literature_mnist.csv")
    assert ",".join(table.columns) == HEADER
    entries = table.entries
    assert len(entries) == 18
    by_reference = {entry.reference: entry for entry in entries}
    assert len(by_reference) == 18
    assert by_reference[None].accuracy == 96.73
    assert by_reference[24].accuracy == 95.0
    assert by_reference[24].more["supervised"] == "no"
    assert by_reference[53].more["training_type"] == "Spike-based & Current-based"
    assert [e.reference for e in entries if e.more["supervised"] == "no"] == [54, 24, 25]
    assert max(entries, key=lambda entry: entry.accuracy).network == "SDRN"
    assert {entry.source for entry in entries} == {"Hao et al., Table 2"}


def test_the_tables_of_gerlinghoff_are_whole() -> None:
    mnist = literature.read(RESULTS / "literature_gerlinghoff_1.csv").entries
    fashion = literature.read(RESULTS / "literature_gerlinghoff_2.csv").entries
    assert [entry.reference for entry in mnist] == [70, 71, 32, 74, 26, 75, 27, 29, 72, 44, 28, 73, 45, None]
    assert [entry.reference for entry in fashion] == [27, 29, None]
    # "Our method outperforms most of those learning algorithms [...] Those achieving a higher accuracy [74, 75] require
    # a significant increase in the number of neurons and/or time steps."
    own = mnist[-1]
    assert (own.accuracy, own.more["hidden_neurons"], own.more["time_steps"]) == (98.4, "2400", "20")
    better = [entry for entry in mnist if entry.accuracy > own.accuracy]
    assert [entry.reference for entry in better] == [74, 75]
    assert all(int(entry.more["hidden_neurons"]) > 2400 for entry in better)
    # "While [71, 27, 73] show advantages in terms of neuron count"
    assert all(int(entry.more["hidden_neurons"]) < 2400 for entry in mnist if entry.reference in (71, 27, 73))
    assert max(fashion, key=lambda entry: entry.accuracy).reference is None
    assert int(fashion[-1].more["hidden_neurons"]) == 1000 + 100
    assert sum(not entry.more["time_steps"] for entry in (*mnist, *fashion)) == 2
    assert {entry.more["layers"] for entry in (*mnist, *fashion)} == {"2 FC", "3 FC", "CNN"}


def test_the_table_of_yamamoto_is_whole() -> None:
    entries = literature.read(RESULTS / "literature_yamamoto_1.csv").entries
    assert [entry.reference for entry in entries] == [23, 24, 25, 13, 14, 17, 15, 26, *[None] * 4]
    # "multi-spike SNNs in the timing-based method achieve the highest accuracy over all existing methods" of temporal
    # coding; "there is already no significant difference when compared to [...] rate coding"
    temporal = [entry for entry in entries if entry.more["coding"] == "SNN (temporal coding)"]
    assert len(temporal) == 9
    best = max(temporal, key=lambda entry: entry.accuracy)
    assert (best.accuracy, best.more["spike_type"], best.more["leakage"]) == (98.43, "multi", "leaky")
    assert [entry.reference for entry in entries if entry.accuracy > best.accuracy] == [24, 25]
    printed = {cell.accuracy: cell for cell in reproduction.paper_of("timing_backprop").cells if cell.table == "I"}
    own = [entry for entry in entries if entry.reference is None]
    assert [entry.accuracy for entry in own] == list(printed)
    for entry in own:
        changes = printed[entry.accuracy].changes
        assert entry.more["spike_type"] == {"one": "single", "many": "multi"}[changes["spikes"]]
        assert entry.more["leakage"] == {"none": "non-leaky*", "leaky": "leaky"}[changes["leak"]]
        assert float(entry.spread) == printed[entry.accuracy].spreads["potential"]


def test_columns_that_only_one_paper_has_are_shown_as_they_are() -> None:
    table = literature.read(RESULTS / "literature_yamamoto_1.csv")
    rows = [
        ours(item="Table I", neurons="", setting=f"spikes={spikes} leak={leak}", readout="potential", value=value,
             trained=6_000_000)
        for spikes, leak, value in (("one", "leaky", 97.0), ("many", "none", 98.0))
    ]  # fmt: skip
    lines = literature.beside_ours(table, rows, OURS["literature_yamamoto_1"]).splitlines()
    assert lines[0] == (
        "| network | coding | bp scheme | spike type | leakage | tau_v | tau_i | accuracy (%) | source |"
    )
    assert lines[1].count("---:") == 1
    assert lines[4].startswith("| 784-800-10 [25] | SNN (rate coding) | surrogate-gradient | multi | leaky | τ | τ |")
    assert "| 98.84 ± 0.02 | Yamamoto et al., Table I |" in lines[4]
    assert "| SNN (temporal coding) | timing-based | multi | non-leaky* | τ | 2τ | 98.00 | measured" in lines[-4]
    assert "| SNN (temporal coding) | timing-based | single | leaky | τ | 2τ | 97.00 | measured" in lines[-3]


def test_layers_of_ours_are_counted() -> None:
    table = literature.read(RESULTS / "literature_gerlinghoff_1.csv")
    rows = [
        ours(item=name, neurons="", setting=f"layers={layers} epochs={epochs} {more}".strip(), value=accuracy)
        for name, layers, epochs, more, accuracy in (
            ("short", "1600,800", 20, "", 97.0), ("short", "200,100", 30, "", 95.0),
            ("short", "200", 30, "steps=10", 91.0), ("Fig. 5", "1600,800", 10, "", 90.0),
        )
    ]  # fmt: skip
    lines = literature.beside_ours(table, rows, OURS["literature_gerlinghoff_1"]).splitlines()
    assert lines[0].startswith("| network | layers | learning method | accuracy (%) | hidden neurons | time steps |")
    assert lines[2] == "| Shrestha (2017) [70] | 2 FC | Stable STDP | 89.7 | 1600 | 200 | Gerlinghoff et al., Table 1 |"
    assert "| 35328 |  | Gerlinghoff" in lines[7]
    assert len(lines) == 2 + 14 + 3 + 2, "a figure's networks are no contenders"
    assert "layers 200, " in lines[-5]
    assert "| 2 FC | desire backpropagation + STDP | 91.00 | 200 | 10 | measured here, 1 seed |" in lines[-5]
    assert "| 3 FC | desire backpropagation + STDP | 97.00 | 2400 | 20 | measured here, 1 seed |" in lines[-3]


def test_a_document_asks_for_a_table_by_name(tmp_path: Path) -> None:
    text = ledger.table_of("literature_gerlinghoff_2", RESULTS, OURS)
    assert "Gerlinghoff et al., Table 2" in text
    (tmp_path / "literature_other.csv").write_text(HEADER)
    with pytest.raises(ledger.LedgerError, match=r"no such literature table; there are: .*literature_mnist"):
        ledger.table_of("literature_other", tmp_path, OURS)
    (tmp_path / "literature_other.csv").write_text(f"{HEADER}\nA network,Rule,,yes,90,Some paper,3\n")
    text = ledger.table_of("literature_other", tmp_path, {"literature_other": HAO})
    assert "| A network [3] | Rule |  | yes | 90 | Some paper |" in text


def test_ours_stand_below_the_papers() -> None:
    table = literature.read(RESULTS / "literature_mnist.csv")
    rows = [ours(neurons=n, seed=s, value=base + s) for n, base in (("400", 90.0), ("100", 82.0)) for s in (0, 1)]
    lines = literature.beside_ours(table, rows, HAO).splitlines()
    assert len(lines) == 2 + 18 + 2 + 2
    assert lines[2].startswith("| Deep LIF SNN [13] | BP-ANN conversion | Rate-based | yes | 98.37 |")
    assert lines[-4] == (
        "| symmetric_stdp, neurons 100 | symmetric STDP | Spike-based | yes | 82.50 ± 0.50 | measured here, 2 seeds |"
    )
    assert "neurons 400" in lines[-3]
    assert "yet" not in lines[-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"trained": 59_999}, {"tested": 1000}, {"dataset": "fashion-mnist"}, {"readout": "most_active"},
        {"item": "ablations"}, {"selection": "best"}, {"measure": "undecided"},
    ],
    ids=str,
)  # fmt: skip
def test_only_comparable_networks_are_taken(changes: dict[str, object]) -> None:
    text = literature.beside_ours(NOTHING, [ours(**changes)], HAO)
    assert "measured here" not in text
    assert "No network of symmetric_stdp" in text
    assert "measured here" in literature.beside_ours(NOTHING, [ours()], HAO)


def test_without_a_ledger_the_literature_stands_alone(tmp_path: Path) -> None:
    table = literature.read(RESULTS / "literature_mnist.csv")
    text = literature.beside_ours(table, tmp_path / "symmetric_stdp.csv", HAO)
    assert text.count("Hao et al., Table 2 |") == 18
    assert "No network of symmetric_stdp has been trained and tested on the whole of mnist here yet." in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A,STDP,Spike-based,yes,90,Paper,first", "invalid literal for int"),
        ("A,STDP,Spike-based,yes,90,Paper,1,2", "more or fewer columns"),
        ("A,STDP,Spike-based,yes,190,Paper,1", "accuracy is 190.0; expected per cent"),
        ("A,STDP,Spike-based,yes,much,Paper,1", "could not convert"),
        ("A,STDP,Spike-based,yes,90,,1", "has no source"),
        ("A,STDP", "line 2"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"{HEADER}\n{line}\n")
    with pytest.raises(ledger.LedgerError, match=said) as raised:
        literature.read(path)
    assert "table.csv, line 2" in str(raised.value)
    path.write_text("network,accuracy\n")
    with pytest.raises(ledger.LedgerError, match="has the columns network,accuracy; expected network,"):
        literature.read(path)
    with pytest.raises(ledger.LedgerError, match="no such literature table"):
        literature.read(tmp_path / "none.csv")
