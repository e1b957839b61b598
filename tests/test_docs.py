"""The site is built without a warning, and has a page for each paper, script, command and module."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hebbarium.catalogue import registry
from hebbarium.ledger import ledger
from hebbarium.ledger.tables import NONE_YET
from hebbarium.studies import reproduction

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOTEBOOKS = sorted((ROOT / "analysis" / "notebooks").glob("*.py"))
EXECUTED = ("synaptic_scaling", "walkthrough")
NOTEBOOK = ROOT / "analysis" / "notebooks" / f"{EXECUTED[0]}.py"
NEW_PAPER = '''"""Somebody: a network.

A. Body, 2030.
"""

from hebbarium.models.synaptic_scaling import SynapticScaling


class NewPaper(SynapticScaling):
    name, title, paper = "new_paper", "A network", "A. Body, 2030"
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as ``make docs`` builds it, but for notebooks that compile programs which no other test needs."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(folder)],
        cwd=folder,
        env={**os.environ, "IPYTHONDIR": str(folder / "ipython"), "HEBBARIUM_NOTEBOOKS": " ".join(EXECUTED)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_site_has_a_page_for_each_paper_script_and_command(site: Path) -> None:
    for name, kind in registry.models().items():
        text = (site / "papers" / f"{name}.html").read_text(encoding="utf-8")
        for symbol in kind.parameters():
            assert f'<span class="pre">{symbol}</span>' in text, f"{name}: no row for {symbol}"
    for file in (DOCS / "notes").glob("*.md"):
        assert (site / "papers" / f"{file.stem}.html").is_file()
    for file in (ROOT / "protocols").glob("[a-z]*.py"):
        assert (site / "gallery" / f"{file.stem}.html").is_file()
    commands = (site / "commands.html").read_text(encoding="utf-8")
    assert 'id="hebbarium-train"' in commands
    assert "--evaluate-every" in commands


@pytest.mark.slow
def test_the_site_has_the_notebooks_with_results(site: Path) -> None:
    for file in NOTEBOOKS:
        page = (site / "notebooks" / f"{file.stem}.html").read_text(encoding="utf-8")
        assert ('class="cell_output' in page) == (file.stem in EXECUTED), file.stem
    page = (site / "notebooks" / "synaptic_scaling.html").read_text(encoding="utf-8")
    assert 'href="../papers/synaptic_scaling.html"' in page
    cells = len(re.findall(r"^# %%$", NOTEBOOK.read_text(encoding="utf-8"), re.MULTILINE))
    assert page.count("cell_output") == cells - 1  # the first one imports
    assert "Traceback" not in page
    last = page[page.rindex("cell_output") :]
    assert "<img" in last
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work)/", page)


def test_tables_of_the_docs_have_numbers() -> None:
    tables = [
        what for file in (*DOCS.glob("*.md"), *(DOCS / "notes").glob("*.md"))
        for what in re.findall(r"^```\{ledger\} (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]  # fmt: skip
    assert len(tables) >= 20
    for what in tables:
        table = ledger.table_of(what, ROOT / "results", reproduction.literature())
        if table == NONE_YET:  # of an item of which nothing was run
            model, item, *_ = what.split()
            rows = ledger.read(ROOT / "results" / f"{model}.csv")
            assert not ledger.select(rows, item=ledger.item_of(item)), what
        else:
            assert table.count("\n|") >= 2, f"{what}: {table}"


def test_a_figure_that_is_not_there_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    tables = importlib.import_module("hebbarium_site.tables")
    assert tables.drawing("overview.svg", "All numbers") == "![All numbers](../../results/figures/overview.svg)"
    assert tables.drawing("nothing.svg", "Nothing") == "*Nothing: not drawn yet.*"


def test_a_new_paper_has_a_page_without_a_line_in_the_docs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    pages = importlib.import_module("hebbarium_site.pages")
    (tmp_path / "new_paper.py").write_text(NEW_PAPER)
    text = pages.paper(registry.find(str(tmp_path / "new_paper.py")), notes=tmp_path, results=tmp_path)
    assert text.startswith("# Somebody: a network\n\nA. Body, 2030.\n")
    assert "## Parameters" in text
    assert "| `tau_p` |" in text
