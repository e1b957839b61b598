"""Commands on trained runs: test them again, label images, draw figures."""

from __future__ import annotations

import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting

if TYPE_CHECKING:
    from hebbarium.training.run_settings import RunSettings


@options.of_settings()
def evaluate(
    run: options.RunFolder,
    dataset: Annotated[str | None, typer.Option(help="another set than the run's")] = None,
    data: str | None = None,
    test_images: int | None = None,
    jobs: int = 1,
    trust_model: options.TrustModel = False,
) -> None:
    """Test a trained run again, on its own or other images."""
    from hebbarium.training.evaluation import evaluate as test_again
    from hebbarium.training.run import Run

    with reporting() as reporter:
        evaluation = test_again(run, reporter, dataset, data, jobs, test_images, trust_model)
    accuracy = evaluation["accuracy"].isel(seed=0, samples_seen=-1)
    of = f"{evaluation.sizes['sample']:,} images of {dataset or Run.open(run).settings.dataset}"
    print(f"accuracy on {of}, chance is {evaluation.attrs['chance']}:")
    for name in accuracy["readout"].values:
        print(f"  {str(name).replace('_', ' '):12}{float(accuracy.sel(readout=name)):6.2f} %")


@options.of_settings()
def predict(
    run: options.RunFolder,
    images: Annotated[Path, typer.Argument(help="your images, in a file or folder as --dataset takes")],
    out: Annotated[Path | None, typer.Option(help="CSV file; standard output if not given")] = None,
    readout: Annotated[str, typer.Option(help="most_active, class_mean or class_layer; the run's first one")] = "",
    jobs: int = 1,
    trust_model: options.TrustModel = False,
) -> None:
    """Label images of your own with a trained run."""
    from hebbarium.files import whole_files
    from hebbarium.studies import prediction

    options.trust(trust_model, run)
    with reporting() as reporter:
        labels = prediction.predict(run, images, readout, jobs, reporter)
    text = prediction.as_csv(labels)
    if out is None:
        print(text, end="")
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write(out, text)
        print(f"{len(labels.predicted):,} labels: {out}")
    if labels.accuracy is not None:
        print(f"right for {labels.accuracy:.2f} % of the images that have a label", file=sys.stderr)


def figures(run: options.RunFolder, formats: options.Formats = None) -> None:
    """Draw every figure that a run has the numbers for."""
    from hebbarium.analysis import figures
    from hebbarium.record import results

    results.open_run(run).close()  # says what is wrong before a folder is made
    for path in figures.save_all(run, tuple(formats or ["png"])):
        print(f"figure: {path}")


def weights(
    run: options.RunFolder,
    out: Annotated[Path, typer.Option(help="file to write: .npz, .csv or .nir")],
    projection: Annotated[str, typer.Option(help="of which projection; all if not given")] = "",
    trust_model: options.TrustModel = False,
) -> None:
    """Write the weights of a trained run, for other programs or for `hebbarium train --weights-from`."""
    from hebbarium.training import weights as files
    from hebbarium.training.run import Run

    opened = Run.open(run, trust_model=trust_model)
    out.parent.mkdir(parents=True, exist_ok=True)
    for name in files.write(opened.state, opened.model, out, projection):
        print(f"{name}: {out}")


def diagnose(run: options.RunFolder, figures: options.Figures = True) -> None:
    """Say what looks wrong with a trained network: what is seen, what it means, what to try."""
    from hebbarium.analysis import diagnosis
    from hebbarium.analysis import figures as drawing
    from hebbarium.record import results

    with results.open_run(run) as tree:
        findings = diagnosis.diagnose(tree)
        seen = int(tree.attrs["samples_seen"])
        whole = "" if tree.attrs["complete"] else "; the run is not complete, what comes after training is not known"
        print(f"{run}: {tree.attrs['model']}, {seen:,} samples seen{whole}")
        figure = drawing.diagnosed(tree) if figures else None
    for finding in findings:
        print(f"\n{finding.name}")
        for head, text in (("seen", finding.seen), ("means", finding.means), ("try", finding.remedy)):
            print(textwrap.fill(text, 110, initial_indent=f"  {head:6}", subsequent_indent=" " * 8))
    if not findings:
        print("nothing of what usually goes wrong is seen")
    if figure is not None:
        print(f"\nfigure: {drawing.save(figure, drawing.folder_of(run) / 'diagnosis.png')}")


def convergence(
    runs: Annotated[list[Path], typer.Argument(help="run folders that differ in their seeds", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="file to draw into: .png, .svg or .pdf")] = Path("convergence.svg"),
) -> None:
    """Draw how fast the accuracy on test images is reached, over runs made with --evaluate-every."""
    from hebbarium.analysis import figures
    from hebbarium.record import results
    from hebbarium.studies import reproduction
    from hebbarium.training.run import Run

    first = Run.open(runs[0]).settings
    with results.open_run(runs[0]) as tree:
        parameters = results.decoded(tree)["parameters"]
    for run in runs:
        settings = Run.open(run).settings
        with results.open_run(run) as tree:
            differ = results.decoded(tree)["parameters"] != parameters
        if differ or _for_any_seed(settings) != _for_any_seed(first):
            raise ValueError(f"{run}: has other settings than {runs[0]}; expected runs that differ in their seeds")
        if settings.evaluate_on != "test" or settings.evaluate_every is None:
            raise ValueError(f"{run}: expected a run made with --evaluate-every and measured on test images")
    with ExitStack() as stack:
        trees = [stack.enter_context(results.open_run(run)) for run in runs]
        cell = reproduction.cell_of_run(first, str(trees[0].attrs["dataset"]))
        paper = reproduction.printed(cell, first.model) if cell else None
        figure = figures.convergence(trees, paper=paper)
    out.parent.mkdir(parents=True, exist_ok=True)
    print(f"figure: {figures.save(figure, out)}")


def _for_any_seed(settings: RunSettings) -> dict[str, Any]:
    """What is learned and measured, but for the seed, and for parameters, which results say as well."""
    from hebbarium.training.run_settings import Role, of_role

    names = set(of_role(Role.COMPUTED, Role.MEASURED)) - {"seed", "changes", "warm_start"}
    return {name: getattr(settings, name) for name in names}
