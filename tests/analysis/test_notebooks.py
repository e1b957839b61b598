"""Notebooks are well-formed, and run: that of any run on a run and on its own example, those of papers to their end.

The cheapest of papers is executed when the site is built; see `tests.test_docs`.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

import jupytext
import nbclient
import pytest

from hebbarium.analysis.example import example_tree
from hebbarium.record import results
from hebbarium.studies import reproduction

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "analysis" / "notebooks"
OF_PAPERS = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "walkthrough")
ONE_A_PAPER = {"synaptic_scaling", "desire_backprop", "symmetric_stdp", "timing_backprop", "diehl_cook", "sun_thesis"}
FOLDER_OF_SOMEBODY = re.compile(r"(?<![\w.*}])/(?:home|root|work|tmp|Users)/")


def executed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The cells of code of a notebook, with their outputs, executed in a folder."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    notebook = jupytext.read(FOLDER / f"{name}.py")
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(folder))
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("with_run", [True, False])
def test_walkthrough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_run: bool) -> None:
    if with_run:
        results.write(example_tree(n_neurons=20, n_samples=120, n_tested=40, block=20, seed=77), tmp_path)
        monkeypatch.setenv("HEBBARIUM_RUN", str(tmp_path))
    else:
        monkeypatch.delenv("HEBBARIUM_RUN", raising=False)
    outputs = [output for cell in executed("walkthrough", tmp_path, monkeypatch) for output in cell.outputs]
    text = "".join(output.get("text", "") for output in outputs)
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert ("seed  77" in text) == with_run
    assert "% of 40 images" in text or not with_run
    assert len(pictures) == 7


def test_each_paper_has_a_notebook() -> None:
    assert set(OF_PAPERS) >= ONE_A_PAPER


@pytest.mark.parametrize("name", OF_PAPERS)
def test_a_notebook_is_well_formed_and_ends_in_a_figure_of_its_paper(name: str) -> None:
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert notebook.metadata["jupytext"]["text_representation"]["format_name"] == "percent"
    assert notebook.cells[0].source.startswith("# ")
    for place in re.findall(r"\]\(((?!https?:)[^)#]+)\)", text.replace("\n# ", " ")):
        assert (FOLDER / place).is_file(), place
    assert not FOLDER_OF_SOMEBODY.search(text)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    last = ast.parse(code[-1]).body[-1]
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    assert ast.unparse(last.value.func) == "paper.figure"  # ours beside the paper's
    model = re.findall(r'^paper = BesidePaper\("(\w+)"\)$', text, re.MULTILINE)[-1]
    assert ast.literal_eval(last.value.args[0]) in reproduction.paper_of(model).tables


@pytest.mark.long
@pytest.mark.parametrize("name", OF_PAPERS)
def test_a_notebook_of_a_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    first, *others = executed(name, tmp_path, monkeypatch)
    assert not first.outputs
    for cell in others:
        assert cell.outputs, cell.source
        for output in cell.outputs:
            assert output["output_type"] in ("execute_result", "display_data"), output  # no warning, nothing printed
            assert not FOLDER_OF_SOMEBODY.search(str(output["data"].get("text/plain", "")))
    assert "image/png" in others[-1].outputs[-1]["data"]
