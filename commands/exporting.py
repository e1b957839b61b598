"""Commands that let a network be trained without Python, and bring back what was learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting

if TYPE_CHECKING:
    from hebbarium.exports.project import Exported


@options.of_settings(
    "dataset", "data", "images", "epochs", "schedule", "seed", "device", "precision", "block", "test_images",
    "validation", "evaluate_on", "labels_from", "labelling_images", "snapshots",
)  # fmt: skip
def export(
    what: Annotated[str, typer.Argument(help="run folder, or a model as for `hebbarium train`", metavar="RUN|MODEL")],
    neurons: options.Neurons = None,
    layers: options.Layers = None,
    changes: options.Sets = None,
    out: Annotated[Path, typer.Option(help="new folder")] = Path("exported"),
    trust_model: options.TrustModel = False,
    **given: Any,
) -> None:
    """Write a folder that trains and labels without Python: C++ or CUDA, makefile, parameters, images."""
    from hebbarium.engine import run_folder
    from hebbarium.exports import project

    named = {name: value for name, value in given.items() if value is not None}
    with reporting() as reporter:
        if (Path(what) / run_folder.CONFIGURATION).is_file():
            sized = {"neurons": neurons, "layers": layers, "set": changes}
            others = [*named.keys() - {"device", "data"}, *(name for name, value in sized.items() if value)]
            if others:
                raise ValueError(
                    f"--{others[0].replace('_', '-')}: {what} is a run, which has it; give a run --device and --data"
                    " alone, or name a model"
                )
            exported = _of_run(Path(what), named.get("device"), named.get("data"), trust_model)
        else:
            settings = options.run_settings(what, options.changes_of(what, changes, neurons, layers), **given)
            exported = project.Exported.of_settings(settings)
        reporter.message("Generating programs; nothing is compiled")
        project.write(exported, out)
    print(f"exported: {out}; `make` in it compiles, {out / 'README.md'} says the rest")
    if exported.settings.device == "cuda":
        print("what it computes on a GPU was compared with nothing")


def _of_run(path: Path, device: str | None, data: str | None, trust_model: bool) -> Exported:
    from hebbarium.exports.project import Exported
    from hebbarium.training.run import Run

    return Exported.of_run(Run.open(path, data=data, trust_model=trust_model), device)


@options.of_settings()
def bring_back(
    project: Annotated[Path, typer.Argument(help="exported folder in which ./train was run", metavar="DIR")],
    out: Annotated[Path | None, typer.Option(help="new run folder; runs/DIR if not given")] = None,
    trained: Annotated[str, typer.Option(help="folder that ./train wrote")] = "trained",
    answers: Annotated[str, typer.Option(help="folder that ./test wrote, if it was run")] = "answers",
    model: Annotated[str | None, typer.Option(help="your file of its model, if it is yours", metavar="FILE.py")] = None,
    dataset: Annotated[str | None, typer.Option(help="images it was trained on, if not the run's own")] = None,
    data: str | None = None,
) -> None:
    """Make a run folder of what an exported folder has trained; nothing in it is run."""
    from hebbarium.commands.running import conclude
    from hebbarium.exports import returned

    out = out or Path("runs") / project.resolve().name
    with reporting() as reporter:
        returned.bring_back(
            project, out, reporter, trained=trained, answers=answers, model=model, dataset=dataset, data=data
        )
    conclude(out, False)
