"""The command that runs neurons: stimuli in, spikes, rates and potentials out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbarium.commands import options
from hebbarium.commands.reporting import reporting

if TYPE_CHECKING:
    from hebbarium.models.stimulated import Neuron
    from hebbarium.training.experiments import Measured

_FEWEST = 16
"""Neurons of a program: numbers of stimuli up to here share it, and then up to every power of two."""


def neuron(
    model: options.ModelName,
    stimulus: Annotated[
        list[str] | None,
        typer.Option(help='such as "step(10*uA/cm2, 100*ms)"; several stand side by side', metavar="SHAPE(...)"),
    ] = None,
    current: Annotated[
        list[Path] | None,
        typer.Option(help="a recorded trace, .csv or .npz, with units; several stand side by side", metavar="FILE"),
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="such as 500*ms, which it is if not given; as long as a recorded trace")
    ] = None,
    changes: options.Sets = None,
    seed: Annotated[int, typer.Option(min=0, help="of noise")] = 0,
    device: Annotated[str, typer.Option(help="dense (default), cpp, cython or numpy")] = "dense",
    precision: Annotated[str, typer.Option(help="float64 (default) or float32")] = "float64",
    out: Annotated[Path | None, typer.Option(help="new folder; runs/MODEL-NUMBER if not given")] = None,
    figures: options.Figures = True,
) -> None:
    """Give neurons stimuli, and measure what they answer."""
    import shlex
    import sys

    from brian2 import second

    from hebbarium.analysis import figures as drawing
    from hebbarium.engine import devices
    from hebbarium.files import folder_names
    from hebbarium.record import results
    from hebbarium.studies import trials
    from hebbarium.studies.current_clamp import CurrentClamp
    from hebbarium.training import many_runs, stimuli

    if device not in devices.NAMES:
        raise ValueError(f"--device {device}: expected one of {', '.join(devices.NAMES)}")
    if precision not in ("float32", "float64"):
        raise ValueError(f"--precision {precision}: expected float32 or float64")
    made = _neuron_of(model, changes)
    wanted = stimuli.wanted_by(made)
    given = list(stimuli.all_of(stimulus or [], wanted))
    lasting = [stimuli.recorded(path, wanted) for path in current or []]
    given += [one for recorded, _ in lasting for one in recorded]
    if not given:
        raise ValueError(f"{made.name}: is given nothing; expected --stimulus '{wanted.example}' or --current FILE")
    usual = max((length for _, length in lasting), default=0.5)
    seconds = usual if duration is None else stimuli.time(duration, "--duration")
    experiment = CurrentClamp(given, seconds * second)
    made = _wide_enough(made, len(given), changes)
    folder_names.refuse(out or Path("runs/new"))
    out = out or many_runs.unused_folder(Path("runs"), made.name)
    if out.exists():
        raise ValueError(f"{out}: exists already; choose another --out")
    trial = trials.Trial("own", "", experiment)
    with reporting() as reporter:
        measured = trials.carry_out(
            trial, made, out, seed=seed, device=device, precision=precision, reporter=reporter,
            command=shlex.join(["hebbarium", *sys.argv[1:]]),
        )  # fmt: skip
    _show(measured)
    print(f"results: {results.file_of(out)}")
    if figures:
        for path in drawing.save_all(out):
            print(f"figure: {path}")


def _neuron_of(name: str, changes: list[str] | None) -> Neuron:
    from hebbarium.catalogue import registry
    from hebbarium.models.stimulated import Neuron
    from hebbarium.training import parameters

    kind = registry.find(name)
    if not issubclass(kind, Neuron):
        known = [model for model, kind in registry.models().items() if issubclass(kind, Neuron)]
        raise ValueError(f"{name}: is given images, not stimuli; expected one of {', '.join(known)}")
    made = parameters.apply(kind, parameters.assignments(changes or []))
    assert isinstance(made, Neuron)
    return made


def _wide_enough(model: Neuron, stimuli: int, changes: list[str] | None) -> Neuron:
    """The model with a neuron for each stimulus, unless their number was set."""
    from hebbarium.training import parameters

    if "neurons" in parameters.assignments(changes or []):
        return model
    neurons = _FEWEST
    while neurons < stimuli:
        neurons *= 2
    return model.replace(neurons=neurons)


def _show(measured: list[Measured]) -> None:
    """A line a stimulus, a column a measure; then what was measured of all together."""
    by_stimulus: dict[str, dict[str, Measured]] = {}
    for one in measured:
        name = one.setting.partition(" duration=")[0].removeprefix("stimulus=")
        by_stimulus.setdefault(name if one.setting.startswith("stimulus=") else "", {})[one.measure] = one
    together = by_stimulus.pop("", {})
    names = list(dict.fromkeys(name for found in by_stimulus.values() for name in found))
    units = {name: found[name].unit for found in by_stimulus.values() for name in found}
    width = max((len(name) for name in by_stimulus), default=8)
    heads = [f"{name} ({units[name]})" if units[name] else name for name in names]
    print(f"{'stimulus':{width}}  " + "  ".join(f"{head:>12}" for head in heads))
    for stimulus, found in by_stimulus.items():
        cells = [f"{found[name].value:12.4g}" if name in found else f"{'':12}" for name in names]
        print(f"{stimulus:{width}}  " + "  ".join(f"{cell:>{max(12, len(head))}}" for cell, head in zip(
            cells, heads, strict=True)))  # fmt: skip
    for name, one in together.items():
        print(f"{name}: {one.value:.6g} {one.unit}".rstrip())
