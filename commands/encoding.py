"""The command that turns images or numbers into spikes and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting

if TYPE_CHECKING:
    from hebbarium.studies.encodings import Levels, Result

OWN = "own"
"""Data set of rows on a user's numbers."""


@options.of_settings()
def encode(
    encoders: Annotated[
        list[str] | None,
        typer.Option("--encoder", help="such as latency; can be repeated; all if not given, see `--set encoder`"),
    ] = None,
    numbers: Annotated[
        str | None, typer.Option(help="numbers instead of images, such as 0,0.5,2, or a .csv file, a sample a line")
    ] = None,
    most: Annotated[float | None, typer.Option(help="the number that is white; the largest if not given")] = None,
    dataset: str = "mnist-embedded",
    data: str | None = None,
    images: Annotated[int, typer.Option(min=1, help="test images, from the first on")] = 50,
    trials: Annotated[int, typer.Option(min=1, help="presentations of the first sample, for its histogram")] = 20,
    changes: options.Sets = None,
    seeds: options.Seeds = "0",
    out: Annotated[Path, typer.Option(help="folder for spikes, figures and the table")] = Path("runs/encode"),
    results: options.LedgerFolder = None,
    formats: options.Formats = None,
) -> None:
    """Turn images or numbers into spikes by several encoders, and decode them."""
    from hebbarium.analysis import figures
    from hebbarium.files import whole_files
    from hebbarium.ledger import ledger
    from hebbarium.studies import encodings
    from hebbarium.training import parameters, sweeps

    wanted = list(dict.fromkeys(encoders or encodings.USUAL))
    texts = parameters.assignments(changes or [])
    models = [encodings.model_of(name, texts) for name in wanted]
    levels = encodings.test_images(dataset, data, images) if numbers is None else encodings.numbers(numbers, most)
    command = encodings.command_of(wanted, dataset, images, texts, seeds) if numbers is None else "hebbarium encode"
    measured: list[Result] = []
    rows: list[ledger.Row] = []
    with reporting() as reporter:
        for number, seed in enumerate(sweeps.seeds_of(seeds)):
            for model in models:
                reporter.message(f"Encoding by {model.encoder}, seed {seed}")
                result = encodings.measure(model, levels, seed)
                rows += encodings.rows(result, dataset if numbers is None else OWN, seed, command)
                measured += [result] if number == 0 else []
        drawn = {
            "spikes": encodings.draw_spikes(models, levels[0], trials, sweeps.seeds_of(seeds)[0]),
            "costs": encodings.draw_costs(measured),
        }
    table = encodings.table(measured)
    print(table)
    if numbers is not None:
        print(f"\n{_decoded(measured, levels[0])}")
    out.mkdir(parents=True, exist_ok=True)
    whole_files.write(out / "encodings.md", f"{table}\n")
    whole_files.write(out / "spikes.npz", [encodings.packed(measured)])
    for name, figure in drawn.items():
        for kind in formats or ["png"]:
            print(f"figure: {figures.save(figure, out / f'{name}.{kind}')}")
    print(f"spikes: {out / 'spikes.npz'}")
    if results is not None:
        ledger.append(results / encodings.LEDGER, rows)
        print(f"ledger: {results / encodings.LEDGER}")


def _decoded(measured: list[Result], given: Levels) -> str:
    """The first sample's numbers, as levels, beside what each decoder makes of them."""
    names = " | ".join(result.model.encoder for result in measured)
    lines = [f"| level | {names} |", f"| ---: |{' ---: |' * len(measured)}"]
    for place, level in enumerate(given):
        found = " | ".join(f"{result.decoded[0, place]:.3f}" for result in measured)
        lines.append(f"| {level:.3f} | {found} |")
    return "\n".join(lines)
