"""A case: programs that are built beforehand, and what is run with them in a process of its own."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Benchmark
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import cuda, standalone
from hebbarium.engine.contract import Structure

CALLED = {cuda.DEVICE: "CUDA", standalone.DEVICE: "stock C++ standalone"}
"""Devices that a case can be run on, as rows name them."""


@dataclass
class Findings:
    """What came of a case.

    Parameters
    ----------
    rows : list of Benchmark
    said : list of str
        Sentences for whoever reads what is printed.
    agrees : bool
        Whether all that was compared is within chance, or rounding.
    """

    rows: list[Benchmark] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    agrees: bool = True

    def as_text(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> Findings:
        """Read again."""
        told = json.loads(text)
        return cls([Benchmark(**row) for row in told["rows"]], told["said"], told["agrees"])


@dataclass(frozen=True)
class Case(ABC):
    """Something to be found out.

    Parameters
    ----------
    name : str
    device : str
        `cuda.DEVICE`, or what stands in for it where there is no GPU.
    """

    name: str
    device: str

    #: seconds that its run may take
    seconds: float = field(default=60.0, kw_only=True)

    @property
    def called(self) -> str:
        """The device, as rows name it."""
        return CALLED[self.device]

    @abstractmethod
    def structures(self) -> Sequence[Structure]:
        """Programs of its device, the first of which are needed most."""

    def references(self) -> Sequence[Structure]:
        """Programs of the CPU that its own are held against."""
        return []

    def programs(self) -> list[Structure]:
        """All that has to be built."""
        return [*self.structures(), *self.references()]

    @abstractmethod
    def run(self, scratch: Path) -> Findings:
        """Find out. Raises whatever goes wrong."""


def digits() -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    """Images and labels of the embedded digits."""
    images = datasets.load("mnist-embedded")
    return images.train_images, images.train_labels
