"""The command ``hebbarium``: its commands put together, errors in words.

What takes time to import is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from hebbarium.commands import (
    closer,
    clusters,
    comparing,
    conversion,
    encoding,
    exporting,
    looking,
    many,
    neurons,
    reports,
    running,
    stores,
    trained,
)
from hebbarium.training import standard_streams

DEBUG = "HEBBARIUM_DEBUG"
STOPPED, FAILED = 130, 1


class _Commands(TyperGroup):
    """Turns errors into one line on standard error."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            print("hebbarium: stopped by a signal", file=sys.stderr)
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            if hasattr(error, "exit_code") or os.environ.get(DEBUG, "0") not in ("", "0"):
                raise  # usage errors, which typer shows; or someone wants to see where it happened
            text, code = _in_words(error)
            print(f"hebbarium: {text}", file=sys.stderr)
            raise typer.Exit(code) from None


def _in_words(error: Exception) -> tuple[str, int]:
    """An error as one line, and the exit code."""
    from hebbarium.files.errors import EngineError, Stopped, in_one_line

    text = in_one_line(str(error))
    if isinstance(error, Stopped):
        return text, STOPPED
    if isinstance(error, EngineError | ValueError | OSError) and text:
        return text, FAILED
    if isinstance(error, KeyError) and " " in text:
        return text.strip("'\""), FAILED
    kind = type(error).__name__
    return f"{kind}: {text} (unexpected; {DEBUG}=1 shows where it happened)", FAILED


app = typer.Typer(
    cls=_Commands,
    help="Spike-based learning papers as Brian2 equations: train, test, compare with the printed numbers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (
    looking.models, looking.describe, looking.devices,
    running.train, running.resume, running.demo,
    trained.evaluate, trained.predict, trained.figures, trained.diagnose, trained.weights,
    trained.convergence,
    reports.report, reports.watch,
    closer.maps, closer.layers, closer.operations, closer.robustness, closer.hebbian_control,
    many.sweep, many.reproduce, comparing.controls, comparing.leaderboard,
    encoding.encode, neurons.neuron, exporting.export, conversion.convert,
):  # fmt: skip
    app.command()(_command)
app.command("import")(exporting.bring_back)  # the word is one of Python's own
# options of the commands that it writes down are handed on
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(clusters.workflow)
app.add_typer(stores.data_app, name="data")
app.add_typer(stores.cache_app, name="cache")


def main() -> None:
    """Entry point of the command ``hebbarium``."""
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        # compilers end, and temporary files go, as for Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    standard_streams.prepare()
    app()


if __name__ == "__main__":
    main()
