"""Commands that show what there is: models, their equations, devices."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbarium.commands import options


def models() -> None:
    """List the models."""
    from hebbarium.catalogue import papers, registry

    own = {name: registry.find(name) for name in papers.models()}
    for name, kind in {**registry.models(), **own}.items():
        print(f"{name}\n    {kind.title}\n    {kind.paper}")


def describe(
    model: options.ModelName,
    form: Annotated[str, typer.Option("--format", help="text, markdown or latex")] = "text",
    phase: Annotated[str | None, typer.Option(help="train, respond or test: whose equations are shown")] = None,
    changes: options.Sets = None,
) -> None:
    """Show a model's parameters, sources and equations."""
    from hebbarium.catalogue import description, registry
    from hebbarium.training import parameters

    made = parameters.apply(registry.find(model), parameters.assignments(changes or []))
    print(description.describe(made, form, phase))


def devices() -> None:
    """List what programs can run on, here."""
    from hebbarium.engine import devices as engine_devices

    for name, text in engine_devices.listing().items():
        print(f"{name:10}{text}")
