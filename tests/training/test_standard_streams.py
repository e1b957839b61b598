"""Every command can say what it has to say, whatever the encoding of its output."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hebbarium.catalogue import registry
from hebbarium.commands import commandline
from hebbarium.training import standard_streams

ROOT = Path(__file__).parents[2]
QUIET = [
    ["models"],
    ["devices"],
    ["data", "list"],
    ["cache", "list"],
    *(["describe", name, "--format", form] for name in registry.models() for form in ("text", "markdown", "latex")),
    *([command.name or command.callback.__name__, "--help"] for command in commandline.app.registered_commands),  # type: ignore[union-attr]
]


class Stream(io.TextIOWrapper):
    """Standard output in an encoding that has next to nothing."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii", write_through=True)

    def text(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("ascii")


@contextmanager
def in_ascii() -> Iterator[Stream]:
    """Not a fixture: pytest has streams of its own for what comes before a test."""
    with pytest.MonkeyPatch.context() as patch:
        stream = Stream()
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        standard_streams.prepare()
        yield stream


@pytest.mark.parametrize("words", QUIET, ids=" ".join)
def test_commands_print_in_ascii(words: list[str]) -> None:
    with in_ascii() as stream, pytest.raises(SystemExit) as ended:
        commandline.app([words[0].replace("_", "-"), *words[1:]])
    assert ended.value.code == 0
    assert stream.text()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("81.3 ± 0.4 %", "81.3 +- 0.4 %"),
        ("28 × 28 – τ_m, θ, Δt", "28 x 28 - tau_m, theta, Deltat"),
        ("5 µs, τ² ≤ 1", "5 us, tau2 <= 1"),
        ("Gütig, naïve", "Gutig, naive"),
        ("日\udcff", "??"),
        ("━╸", "??"),
    ],
)
def test_what_stands_for_what(text: str, plain: str) -> None:
    with in_ascii() as stream:
        print(text)
    assert stream.text() == plain + "\n"


def test_text_that_can_be_written_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    standard_streams.prepare()
    print("± é τ")
    assert isinstance(stream.buffer, io.BytesIO)
    assert stream.buffer.getvalue().decode("latin-1") == "± é tau\n"


@pytest.mark.parametrize("closed", [">&- 2>&-", "<&-"])
def test_closed_streams(closed: str) -> None:
    command = f"'{sys.executable}' -m hebbarium.commands.commandline models {closed}"
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "TERM": "dumb", "COLUMNS": "20"}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"synaptic_scaling" in done.stdout or ">&-" in closed
