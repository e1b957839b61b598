"""Arguments and options of the commands: those of a run from the table of its settings, and what several share."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.models import ParameterInfo

from hebbarium.training.run_settings import RunSettings, Setting

if TYPE_CHECKING:
    from hebbarium.models.contract import Model

Command = Callable[..., None]


def _say_if_unpinned(given: Any) -> Any:
    """Say of run folders that were begun before anything was pinned that they are taken as they are."""
    from hebbarium.engine import run_folder
    from hebbarium.training import pins

    for run in given if isinstance(given, list) else [given]:
        if run is not None and (Path(run) / run_folder.CONFIGURATION).is_file() and pins.read(Path(run)) is None:
            print(pins.UNPINNED.format(run=run), file=sys.stderr)
    return given


RunFolder = Annotated[Path, typer.Argument(help="run folder", metavar="RUN", callback=_say_if_unpinned)]
RunFolders = Annotated[
    list[Path], typer.Argument(help="run folders, of any models", metavar="RUN...", callback=_say_if_unpinned)
]
TrustModel = Annotated[
    bool, typer.Option("--trust-model", help="let the Python file run that the run's model is written in")
]
ModelName = Annotated[str, typer.Argument(help=RunSettings.table()["model"].meaning, metavar="MODEL")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="parameter of the model, such as tau_p=20*ms; can be repeated", metavar="SYMBOL=VALUE"),
]
Neurons = Annotated[int | None, typer.Option(min=1, help="size of the network")]
Layers = Annotated[
    str | None, typer.Option(help="sizes of the hidden layers, from the input on", metavar="SIZE,SIZE,...")
]
Seeds = Annotated[str, typer.Option(help="such as 0-2 or 0,3,7")]
Formats = Annotated[list[str] | None, typer.Option("--format", help="png (default), svg or pdf")]
Part = Annotated[
    str | None, typer.Option("--only", hidden=True, help="a part, as jobs of a workflow ask for it; see `workflow`")
]
Figures = Annotated[bool, typer.Option(help="draw the figures")]
LedgerFolder = Annotated[Path | None, typer.Option(help="folder of the ledgers to add to; none if not given")]


def of_settings(*names: str) -> Callable[[Command], Command]:
    """A command whose options are settings of a run, as their table describes them.

    Parameters
    ----------
    names : str
        Settings that the command takes by its ``**`` parameter, each None unless given. Other parameters that are
        called as a setting is, and say nothing themselves, are described by the table too.
    """
    table = RunSettings.table()

    def decorated(command: Command) -> Command:
        parameters = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                continue
            row, hint = table.get(parameter.name), parameter.annotation
            if row and row.option and not any(isinstance(m, ParameterInfo) for m in getattr(hint, "__metadata__", ())):
                hint = Annotated[hint, _option(row)]
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
        own = {"out", "trust_model", "figures"}  # these come last
        place = next((k for k, parameter in enumerate(parameters) if parameter.name in own), len(parameters))
        parameters[place:place] = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_type_of(table[name]))
            for name in names
        ]

        @functools.wraps(command)
        def called(**arguments: Any) -> None:
            command(**arguments)

        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return called

    return decorated


def _type_of(row: Setting) -> Any:
    kind = str if row.none else row.kind
    return Annotated[kind | None, _option(row)]


def _option(row: Setting) -> Any:
    callback = _say_if_unpinned if row.name == "warm_start" else None
    least = None if row.none else row.least
    return typer.Option(row.option, help=row.meaning, metavar=row.metavar, min=least, callback=callback)


def run_settings(model: str, changes: Mapping[str, Any], **given: Any) -> RunSettings:
    """Settings of a run from options; None keeps the default."""
    wanted = {name: value for name, value in given.items() if value is not None}
    for name, row in RunSettings.table().items():
        if row.none and isinstance(text := wanted.get(name), str):
            if text != row.none and not (text.isdecimal() and int(text) > 0):
                raise ValueError(f"{row.option} {text}: expected a number of images, or {row.none}")
            wanted[name] = None if text == row.none else int(text)
    settings = RunSettings(model=model, changes=changes, **wanted)
    if (text := given.get("labelling_images")) is not None and settings.labels_from != "labelling":
        raise ValueError(f"--labelling-images {text}: is for --labels-from labelling; give both, or leave it out")
    return settings


def changes_of(
    model: str, arguments: Sequence[str] | None, neurons: int | None = None, layers: str | None = None
) -> dict[str, Any]:
    """Parameters of a model as options set them: ``--set``, ``--neurons`` and ``--layers``."""
    from hebbarium.catalogue import registry
    from hebbarium.training import parameters

    texts = parameters.assignments(arguments or [])
    return parameters.values(registry.find(model), {**sizes_of(texts, neurons, layers), **texts})


def sizes_of(others: Mapping[str, Any], neurons: int | None, layers: str | None) -> dict[str, Any]:
    """Sizes that are set by options of their own, and not by ``--set`` as well."""
    sizes = {"neurons": neurons, "layers": layers}
    for symbol, size in sizes.items():
        if size is not None and symbol in others:
            raise ValueError(f"--{symbol} {size}: {symbol} is set by --set as well; keep one of them")
    return {symbol: size for symbol, size in sizes.items() if size is not None}


def trust(wanted: bool, *runs: Path) -> None:
    """Let the Python files run that runs' models are written in, if that is asked for."""
    from hebbarium.training.run import Run

    for run in runs if wanted else ():
        Run.open(run, trust_model=True)


def sizes_in_words(model: Model) -> str:
    """Sizes of a network's populations, as messages say them."""
    from hebbarium.engine import anatomy

    return " + ".join(map(str, anatomy.populations(model).values()))
