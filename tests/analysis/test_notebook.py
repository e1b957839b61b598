"""The notebook runs, on a run and on its own example."""

from __future__ import annotations

import os
from pathlib import Path

import jupytext
import nbclient
import pytest

from hebbarium.analysis.example import example_tree
from hebbarium.record import results

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("with_run", [True, False])
def test_walkthrough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_run: bool) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    if with_run:
        results.write(example_tree(n_neurons=20, n_samples=120, n_tested=40, block=20, seed=77), tmp_path)
        monkeypatch.setenv("HEBBARIUM_RUN", str(tmp_path))
    else:
        monkeypatch.delenv("HEBBARIUM_RUN", raising=False)
    notebook = jupytext.read(ROOT / "analysis" / "notebooks" / "walkthrough.py")
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output.get("text", "") for output in outputs)
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert ("seed  77" in text) == with_run
    assert "% of 40 images" in text or not with_run
    assert len(pictures) == 7
