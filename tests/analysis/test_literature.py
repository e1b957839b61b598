"""The literature table, and ours beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import ledger, literature
from tests.analysis.test_ledger import row

RESULTS = Path(__file__).parents[2] / "results"


def ours(**changes: object) -> ledger.Row:
    values: dict[str, object] = {
        "table": "1", "setting": "", "readout": "class_layer", "images_trained": 300_000, "paper": 91.13
    }  # fmt: skip
    return row(**(values | changes))


def test_the_papers_table_is_whole() -> None:
    entries = literature.read(RESULTS / literature.LITERATURE)
    assert len(entries) == 18
    by_reference = {entry.reference: entry for entry in entries}
    assert len(by_reference) == 18
    assert by_reference[None].accuracy == 96.73
    assert by_reference[24].accuracy == 95.0
    assert not by_reference[24].supervised
    assert by_reference[53].training_type == "Spike-based & Current-based"
    assert [e.reference for e in entries if not e.supervised] == [54, 24, 25]
    assert max(entries, key=lambda entry: entry.accuracy).network == "SDRN"
    assert {entry.source for entry in entries} == {"Hao et al., Table 2"}


def test_ours_stand_below_the_papers() -> None:
    entries = literature.read(RESULTS / literature.LITERATURE)
    rows = [ours(neurons=n, seed=s, accuracy=base + s) for n, base in (("400", 90.0), ("100", 82.0)) for s in (0, 1)]
    lines = literature.beside_ours(entries, rows).splitlines()
    assert len(lines) == 2 + 18 + 2 + 2
    assert lines[2].startswith("| Deep LIF SNN [13] | BP-ANN conversion | Rate-based | yes | 98.37 |")
    assert lines[-4] == (
        "| symmetric_stdp, neurons 100 | symmetric STDP | Spike-based | yes | 82.50 ± 0.50 | measured here, 2 seeds |"
    )
    assert "neurons 400" in lines[-3]
    assert "yet" not in lines[-1]


@pytest.mark.parametrize(
    "changes",
    [{"images_trained": 59_999}, {"images_tested": 1000}, {"dataset": "fashion-mnist"}, {"readout": "most_active"}],
    ids=str,
)
def test_only_comparable_networks_are_taken(changes: dict[str, object]) -> None:
    text = literature.beside_ours([], [ours(**changes)])
    assert "measured here" not in text
    assert "No network of symmetric_stdp" in text
    assert "measured here" in literature.beside_ours([], [ours()])


def test_without_a_ledger_the_literature_stands_alone(tmp_path: Path) -> None:
    entries = literature.read(RESULTS / literature.LITERATURE)
    text = literature.beside_ours(entries, tmp_path / "symmetric_stdp.csv")
    assert text.count("Hao et al., Table 2 |") == 18
    assert "No network of symmetric_stdp has been trained and tested on the whole of MNIST here yet." in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A,STDP,Spike-based,perhaps,90,Paper,1", "supervised is 'perhaps'; expected yes or no"),
        ("A,STDP,Spike-based,yes,190,Paper,1", "accuracy is 190.0; expected per cent"),
        ("A,STDP,Spike-based,yes,much,Paper,1", "could not convert"),
        ("A,STDP,Spike-based,yes,90,,1", "has no source"),
        ("A,STDP", "line 2"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",".join(literature.COLUMNS) + f"\n{line}\n")
    with pytest.raises(ledger.LedgerError, match=said) as raised:
        literature.read(path)
    assert "table.csv, line 2" in str(raised.value)
    path.write_text("network,accuracy\n")
    with pytest.raises(ledger.LedgerError, match="has the columns network,accuracy; expected network,"):
        literature.read(path)
    with pytest.raises(ledger.LedgerError, match="no such literature table"):
        literature.read(tmp_path / "none.csv")
