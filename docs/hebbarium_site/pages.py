"""Pages that are written when the site is built: papers, scripts, commands, modules, and what lies beside the docs.

Each function returns the text of a page; `write` puts them into folders that git ignores.
"""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import jupytext
import typer.main

from hebbarium.catalogue import registry
from hebbarium.catalogue.description import describe
from hebbarium.ledger import controls, ledger
from hebbarium.models.contract import Model
from hebbarium.studies import reproduction
from hebbarium_site.tables import RESULTS, ROOT

FIGURES = RESULTS / "figures"
NOTES = ROOT / "docs" / "notes"
ROOMS = (
    "models", "equations", "protocols", "record", "datasets", "analysis", "training", "exports", "studies", "ledger",
    "catalogue", "engine", "files", "commands",
)  # fmt: skip


def write(folder: Path | str) -> None:
    """All of them, into a folder of documents; a page that says what it said is left alone."""
    folder = Path(folder)
    for path, text in pages().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The text of each page by its place."""
    models = registry.models()
    listed = {f"papers/{name}.md": paper(kind) for name, kind in models.items()}
    listed |= {f"gallery/{file.stem}.md": script(file) for file in scripts()}
    listed |= {f"api/{room}.md": room_of_the_api(f"hebbarium.{room}") for room in ROOMS}
    listed["api/dense_pathways.md"] = room_of_the_api("dense_pathways")
    listed |= {f"papers/{name}.md": file.read_text(encoding="utf-8") for name, file in subjects(models).items()}
    listed["papers/index.md"] = list_of_papers(models)
    listed["gallery/index.md"] = list_of_scripts()
    listed["commands.md"] = commands()
    listed["api/index.md"] = list_of_rooms()
    listed["dense_pathways.md"] = dense_pathways()
    listed |= {f"notebooks/{file.stem}.ipynb": notebook(file) for file in notebooks()}
    listed["notebooks/index.md"] = list_of_notebooks()
    return listed


# -- papers ----------------------------------------------------------------------------------------------------
def paper(kind: type[Model], notes: Path = NOTES, results: Path = RESULTS) -> str:
    """A paper's page: what comes out of it, what was tried, its parameters and its equations.

    Parameters
    ----------
    kind : type
        The model.
    notes : Path
        Folder of texts written by hand, ``<model>.md``; a paper without one has its page all the same.
    results : Path
        Folder of the ledgers.
    """
    name = kind.name
    description = _with_formulas(describe(kind(), "markdown"), describe(kind(), "latex"))
    title, introduction = _introduced(kind)
    reproducible = name in reproduction.REPRODUCIBLE
    written = notes / f"{name}.md"
    text = written.read_text(encoding="utf-8") if written.is_file() else ""
    first, _, rest = text.partition("\n## ")
    parts = [f"# {title}", introduction, first.strip()]  # what hurts is said first
    parts.append(_where_it_lives(kind, reproducible))
    if reproducible:
        parts += ["## How near it comes", *items(name, results)]
    parts.append(f"## {rest.strip()}" if rest else "")
    parts += _further_figures(name, text)
    parts += _beside(results / f"{name}_claims.md", "Claims")
    parts += _not_run(name, results)
    parts += _beside(results / f"{name}_search.md", "What was tried")
    searched = ledger.select(ledger.read(results / f"{name}.csv"), item="search", measure=ledger.ACCURACY)
    if searched:
        if not (results / f"{name}_search.md").is_file():
            parts.append("## What was tried")
        table = ledger.markdown_table(searched, "readout")
        parts.append(_folded("All rows of the search, on held-out images", table))
    parts.append("## " + description.partition("\n## ")[2])
    if files := _files(kind):
        parts.append("## The model's file")
    for file in files:
        place = file.relative_to(ROOT).as_posix()
        parts.append(_folded(f"`{place}`", f"```{{literalinclude}} ../../{place}\n:language: python\n```"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _with_formulas(markdown: str, latex: str) -> str:
    """A description whose differential equations stand as formulas before the strings that run."""
    for name, lines in re.findall(
        r"^\\paragraph\{([^}]*)\}[^\n]*\n\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", latex, re.DOTALL | re.MULTILINE
    ):
        plain = re.escape(name.replace("\\_", "_"))
        if heading := re.search(rf"^`{plain}`: .*$", markdown, re.MULTILINE):
            markdown = f"{markdown[: heading.end()]}\n\n$$\n{lines}\n$$\n{markdown[heading.end() :]}"
    return markdown


def _introduced(kind: type[Model]) -> tuple[str, str]:
    """Title and introduction, as the model's file begins."""
    module = sys.modules[kind.__module__]
    first, _, rest = inspect.cleandoc(module.__doc__ or kind.title).partition("\n")
    return first.rstrip("."), _in_markdown(rest.strip()) or kind.paper


def items(name: str, results: Path = RESULTS) -> Iterator[str]:
    """For each table and figure of a paper with numbers of ours: how near these are."""
    rows = ledger.select(ledger.read(results / f"{name}.csv"), measure=ledger.ACCURACY, selection=ledger.LAST)
    lines = []
    paper = reproduction.paper_of(name)
    beside = controls.of_folder(results)
    tried = {ledger.item_of(trial.item) for trial in paper.trials}
    for table in paper.tables:
        item = ledger.item_of(table)
        if item in tried:
            measured = ledger.select(ledger.read(results / f"{name}.csv"), item=item)
            drawn = len({row.seed for row in measured})
            words = "numbers below, verdicts under claims" if measured else "not run"
            lines.append(f"| {item.replace('_', ' ')} | {len(measured) or ''} | {drawn or ''} | {words} |")
            continue
        cells = ledger.summarise(ledger.select(rows, item=item))
        compared = [cell for cell in cells if cell.paper is not None]
        seeds = sorted({cell.seeds for cell in cells})
        number = "" if not seeds else str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
        if compared:
            differing, _ = ledger.split_names(cells)
            words = ledger.verdict(compared, differing)
        else:
            words = "the paper has no numbers for it" if cells else "not run"
        lacking = sum(bool(beside.words(cell.row, cell.mean)) for cell in cells)
        if lacking:
            words += f" {lacking} of {len(cells)} cells are not above all controls of their set."
        lines.append(f"| {item.replace('_', ' ')} | {len(cells) or ''} | {number} | {words} |")
    yield "\n".join(["| item | cells run | seeds | verdict |", "| --- | ---: | ---: | --- |", *lines])
    if paper.cells:
        yield "A cell is one setting read out in one way; its number is the mean over seeds on all test images."


def subjects(models: Collection[str], notes: Path = NOTES) -> dict[str, Path]:
    """Texts that are of no model: each is a page by itself, with its title as first line."""
    return {file.stem: file for file in sorted(notes.glob("*.md")) if file.stem not in models}


def list_of_papers(models: dict[str, type[Model]]) -> str:
    """The entry page of the papers."""
    lines = ["| model | paper | what it is |", "| --- | --- | --- |"]
    lines += [f"| [`{name}`]({name}.md) | {kind.paper} | {kind.title} |" for name, kind in models.items()]
    further = subjects(models)
    titles = {name: file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for name, file in further.items()}
    return "\n".join(
        [
            "# Papers",
            "",
            "Each page holds a paper's numbers beside ours, what was tuned, what was tried, and every parameter and",
            "equation of the model that runs. Tables are made from the ledgers in `results/` when this site is built.",
            "",
            *lines,
            "",
            "Pages on more than one model:",
            "",
            *(f"- [{title}]({name}.md)" for name, title in titles.items()),
            "",
            *_toctree([*models, *further]),
        ]
    )


def _where_it_lives(kind: type[Model], reproducible: bool) -> str:
    name = kind.name
    does = f"`hebbarium train {name}` trains it" if kind().schedules else f"`hebbarium reproduce {name}` runs it"
    known = f"`hebbarium describe {name}` shows what stands below; {does}."
    if not reproducible:
        return known
    return f"{known} How that is done, and what the paper prints, is in the [script](../gallery/{name}.md)."


def _further_figures(name: str, text: str) -> Iterator[str]:
    """Figures of the ledgers that the notes have not shown yet."""
    rest = [file for file in sorted(FIGURES.glob(f"{name}_*")) if file.name not in text]
    if rest:
        yield "## Further figures"
    for file in rest:
        yield f"![{_words(file, name)}](../../results/figures/{file.name})\n\n*{_words(file, name)}*"


def _words(file: Path, name: str) -> str:
    words = file.stem.removeprefix(f"{name}_").replace("_", " ")
    words = re.sub(r"^Fig(\d+)", r"Fig. \1", words)
    return words[0].upper() + words[1:]


def _beside(file: Path, title: str) -> Iterator[str]:
    """A page that lies beside the ledgers, under a heading of ours."""
    if not file.is_file():
        return
    _, _, body = file.read_text(encoding="utf-8").partition("\n")
    body = re.sub(r"^(#+) ", r"#\1 ", body, flags=re.MULTILINE)
    body = re.sub(r"\]\((\w+)_search\.md\)", "](#what-was-tried)", body)
    body = _linked(body, f"../../{file.parent.relative_to(ROOT).as_posix()}")
    yield f"## {title}"
    yield re.sub(r"\n{3,}", "\n\n", body.strip())


def _not_run(name: str, results: Path) -> Iterator[str]:
    """Numbers of the paper beside which nothing of ours stands."""
    listed = _table(results / "not_run.csv", lambda row: row["model"] == name, without=("model",))
    if listed:
        yield "## Not run"
        yield "Numbers that the paper prints and that nobody has run here:"
        yield listed


def _table(file: Path, wanted: Callable[[dict[str, str]], bool], without: tuple[str, ...] = ()) -> str:
    if not file.is_file():
        return ""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if wanted(row)]
    if not rows:
        return ""
    names = [name for name in rows[0] if name not in without and any(row[name] for row in rows)]
    return "\n".join(
        ["| " + " | ".join(names) + " |", "| " + " | ".join("---" for _ in names) + " |"]
        + ["| " + " | ".join(row[name] for name in names) + " |" for row in rows]
    )


def _folded(title: str, body: str) -> str:
    return f"::::{{dropdown}} {title}\n{body}\n::::"


def _files(kind: type[Model]) -> list[Path]:
    """The file of a model, or those of its folder."""
    file = Path(inspect.getsourcefile(kind) or "").resolve()
    in_folder = file.parent.name != "models" and file.parent.parent.name == "models"
    files = sorted(file.parent.glob("*.py")) if in_folder else [file]
    return [file for file in files if file.is_relative_to(ROOT)]


# -- scripts ---------------------------------------------------------------------------------------------------
def scripts() -> list[Path]:
    """The protocols, which are scripts."""
    return sorted((ROOT / "protocols").glob("[a-z]*.py"))


def script(file: Path) -> str:
    """A script's page: what it does, the figures that come of its paper, and its text."""
    name = file.stem
    first, _, rest = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or name).partition("\n")
    parts = [f"# `{file.name}`", first, _in_markdown(rest.strip())]
    if name in registry.models():
        parts.append(f"What came of it: [the paper's page](../papers/{name}.md).")
    figures = sorted(FIGURES.glob(f"{name}_*"))
    if figures:
        parts.append("## Figures")
        cards = [
            f":::{{grid-item-card}} {_words(file, name)}\n:img-bottom: ../../results/figures/{file.name}\n:::"
            for file in figures
        ]
        parts.append("::::{grid} 1 2 2 3\n:gutter: 2\n\n" + "\n\n".join(cards) + "\n::::")
    parts.append("## The script")
    parts.append(f"```{{literalinclude}} ../../protocols/{file.name}\n:language: python\n```")
    return "\n\n".join(part for part in parts if part) + "\n"


def list_of_scripts() -> str:
    """The entry page of the scripts, each with a figure."""
    cards = []
    for file in scripts():
        first = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        figures = sorted(FIGURES.glob(f"{file.stem}_*"), key=lambda f: ("Fig" in f.stem, f.name))
        image = f":img-bottom: ../../results/figures/{figures[0].name}\n" if figures else ""
        cards.append(f":::{{grid-item-card}} `{file.name}`\n:link: {file.stem}\n:link-type: doc\n{image}\n{first}\n:::")
    return "\n".join(
        [
            "# Scripts",
            "",
            "Each paper's protocol is a script. As it is, `python protocols/synaptic_scaling.py` trains a small",
            "network on the digits that come with the project, tests it and draws what it has learned, in a minute",
            "or two. With `--paper` it runs the paper's own protocol. The figures here are of the papers' networks,",
            "not of the short runs.",
            "",
            "::::{grid} 1 1 2 2",
            ":gutter: 3",
            "",
            "\n\n".join(cards),
            "::::",
            "",
            *_toctree(file.stem for file in scripts()),
        ]
    )


def _in_markdown(text: str) -> str:
    """Docstrings write code between two backticks."""
    return text.replace("``", "`")


# -- notebooks -------------------------------------------------------------------------------------------------
def notebooks() -> list[Path]:
    """The notebooks, as scripts that jupytext opens: those of papers, then those of any run."""
    files = sorted((ROOT / "analysis" / "notebooks").glob("*.py"))
    return sorted(files, key=lambda file: file.stem == "walkthrough")


def notebook(file: Path) -> str:
    """A notebook, which is run when the site is built."""
    made = jupytext.read(file)
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"  # not another one each time
        if cell.cell_type == "markdown":
            for there, here in _PLACES.items():
                cell.source = re.sub(there, here, cell.source)
    written: str = jupytext.writes(made, fmt="ipynb")
    return written


_PLACES = {
    r"\]\(\.\./\.\./models/(\w+)\.py\)": r"](../papers/\1.md)",
    r"\]\(\.\./\.\./protocols/(\w+)\.py\)": r"](../gallery/\1.md)",
    r"\]\(\.\./\.\./docs/notes/(\w+)\.md\)": r"](../papers/\1.md)",
    r"\]\(\.\./\.\./docs/(\w+)\.md\)": r"](../\1.md)",
}
"""Links of notebooks to files of the clone, and the pages that stand for these."""


def list_of_notebooks() -> str:
    """The entry page of the notebooks: how each begins."""
    lines = []
    for file in notebooks():
        heading, said = jupytext.read(file).cells[0].source.split("\n\n")[:2]
        sentence = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(said.split())).partition(". ")[0].rstrip(".")
        lines.append(f"- [{heading.removeprefix('# ')}]({file.stem}.ipynb): {sentence[0].lower()}{sentence[1:]}.")
    return "\n".join(
        [
            "# Notebooks",
            "",
            "Each trains a small network of one paper on the digits that come with the project, looks at it with what",
            "the package offers, and ends in a table or figure of the paper with ours beside it. They are scripts in",
            "`analysis/notebooks`, which Jupyter opens as notebooks:",
            "",
            "```sh",
            "pip install --editable '.[notebooks]'",
            "jupyter lab analysis/notebooks  # right click: Open With, Notebook",
            "```",
            "",
            "The first execution compiles the network, which takes some ten seconds, and keeps the run in a folder",
            "`runs` beside the notebook. The next one opens the run. What these pages show comes of the site's build.",
            "",
            *lines,
            "",
            *_toctree(file.stem for file in notebooks()),
        ]
    )


# -- commands --------------------------------------------------------------------------------------------------
def commands() -> str:
    """Every command with its arguments and options, from the command line itself."""
    from hebbarium.commands.commandline import app

    group: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "Made from the command line itself; `hebbarium COMMAND --help` says the same.",
    ]
    for name, command in group.commands.items():
        parts += [f"## `hebbarium {name}`", *_command(command)]
    return "\n\n".join(parts) + "\n"


def _command(command: Any) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "")
    context = command.context_class(command, info_name=command.name)
    records = [parameter.get_help_record(context) for parameter in command.params if not parameter.hidden]
    rows = [f"| `{_names(names)}` | {_cell(text)} |" for names, text in filter(None, records)]
    if rows:
        yield "\n".join(["| given | what it is |", "| --- | --- |", *rows])


def _names(text: str) -> str:
    """Names of an option and what follows it, alike for every version of typer."""
    text = re.sub(r"<?\b(?:int|float|INTEGER|FLOAT)( range| RANGE)?\b>?", "NUMBER", " ".join(text.split()))
    text = re.sub(r"^(\[?[A-Z]\S*) .*", r"\1", text)  # an argument's name says what it is
    return re.sub(r"<(\w+)>", lambda kind: {"str": "TEXT"}.get(kind[1], kind[1].upper()), text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# -- what lies beside the docs ---------------------------------------------------------------------------------
def dense_pathways() -> str:
    """The page of the distribution that this project brings along: its own README."""
    folder = ROOT / "dense_pathways"
    text = _linked((folder / "README.md").read_text(encoding="utf-8"), "../dense_pathways")
    here = (
        "Hebbarium compiles its models with this device; `--device cpp` is Brian2's own. It is a distribution of its "
        "own, in the folder `dense_pathways`. What follows is its README."
    )
    heading, _, body = text.partition("\n")
    return f"{heading}\n\n{here}\n{body}"


def _linked(text: str, folder: str) -> str:
    """A page with its links to files beside it led there from the docs."""
    return re.sub(r"\]\((?!https?:|#)([^)]+)\)", rf"]({folder}/\1)", text)


# -- modules ---------------------------------------------------------------------------------------------------
def room_of_the_api(package: str) -> str:
    """The public things of a package, module by module."""
    room = importlib.import_module(package)
    parts = [f"# `{package}`", f"```{{eval-rst}}\n.. automodule:: {package}\n   :no-members:\n```"]
    for module in sorted(pkgutil.walk_packages(room.__path__, f"{package}."), key=lambda module: module.name):
        members = "\n   :no-members:" if module.ispkg else ""  # a package hands on what its modules have
        parts += [
            f"## `{module.name.removeprefix('hebbarium.')}`",
            f"```{{eval-rst}}\n.. automodule:: {module.name}{members}\n```",
        ]
    return "\n\n".join(parts) + "\n"


def list_of_rooms() -> str:
    """The entry page of the modules."""
    rooms = [*ROOMS, "dense_pathways"]
    lines = ["| package | what lives there |", "| --- | --- |"]
    for room in rooms:
        package = room if room == "dense_pathways" else f"hebbarium.{room}"
        first = _in_markdown((importlib.import_module(package).__doc__ or "").partition("\n\n")[0].replace("\n", " "))
        lines.append(f"| [`{package}`]({room}.md) | {first} |")
    return "\n".join(["# Modules", "", *lines, "", *_toctree(rooms)])


def without_parameters_of_models(
    app: object, what: str, name: str, thing: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None] | None:
    """Leave out the signature of a model: its parameters have a table of their own."""
    if what == "class" and isinstance(thing, type) and issubclass(thing, Model):
        return "", None
    return None


def _toctree(names: Any) -> list[str]:
    return ["```{toctree}", ":hidden:", "", *names, "```", ""]
