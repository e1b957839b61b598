"""Commands on what lies on this computer: image sets and compiled programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(help="Find, check or download the image sets.", rich_markup_mode=None)
cache_app = typer.Typer(help="Show or empty the cache of compiled programs.", rich_markup_mode=None)


@data_app.callback(invoke_without_command=True)
def data(context: typer.Context) -> None:
    """Find, check or download the image sets."""
    if context.invoked_subcommand is None:
        data_list()


@data_app.command("list")
def data_list(
    folder: Annotated[Path | None, typer.Option("--data", help="folder to look in")] = None,
) -> None:
    """List the sets, and where they were found."""
    from hebbarium.datasets import by_name as datasets
    from hebbarium.datasets import made_sets

    for one in datasets.describe(folder):
        where = f"{one.source}: {one.folder}" if one.folder else one.problem
        print(f"{one.name:24}{one.train:6,} + {one.test:6,} images  {one.state:10} {where}")
        print(f"{'':24}{one.licence}")
    rules = ", ".join(f"-{rule}" for rule in made_sets.RULES)
    print(f"Each with {rules} behind its name is another set, which is made of it when it is loaded.")


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="mnist or fashion-mnist")]) -> None:
    """Download a set into your cache folder."""
    from hebbarium.datasets import by_name as datasets

    print(datasets.fetch(name))


@data_app.command("check")
def data_check(
    folder: Annotated[Path | None, typer.Option("--data", help="folder to look in")] = None,
) -> None:
    """Check every file found against its digest; fails if one is damaged."""
    from hebbarium.datasets import by_name as datasets

    sets = datasets.describe(folder)
    for one in sets:
        print(f"{one.name:24}{one.state:10} {one.sha256 or one.problem}")
    if any(one.state == "damaged" for one in sets):
        raise typer.Exit(1)


@cache_app.callback(invoke_without_command=True)
def cache(context: typer.Context) -> None:
    """Show or empty the cache of compiled programs."""
    if context.invoked_subcommand is None:
        cache_list()


@cache_app.command("list")
def cache_list() -> None:
    """List the compiled programs."""
    from hebbarium.engine import cache as programs
    from hebbarium.training import estimates

    entries = programs.entries()
    for entry in entries:
        d = entry.description
        what = f"{d.get('model')} {d.get('phase')} {d.get('precision')} {d.get('device')}"
        size = estimates.in_bytes(entry.size)
        print(f"{entry.key}  {what:40} N={d.get('structure', {}).get('neurons', '?'):6} {size:>8}")
    total = estimates.in_bytes(sum(entry.size for entry in entries))
    print(f"{len(entries)} programs, {total}, in {programs.folder()}")


@cache_app.command("clear")
def cache_clear() -> None:
    """Delete the compiled programs; they are made again when they are needed."""
    from hebbarium.engine import cache as programs

    gone, kept = programs.clear()
    left = f"; {kept} left, which are in use" if kept else ""
    print(f"{gone} programs deleted{left}")
