"""What a rule forgets: the classes of a set one after the other in one pass, beside images in a drawn order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hebbarium.studies.reproduction import Cell
from hebbarium.training.run_settings import BY_CLASS, DRAWN

__all__ = ["TABLE", "cells"]

TABLE = "forgetting"


def cells(changes: Mapping[str, str], row: str, **run: Any) -> Iterator[Cell]:
    """A network in both orders, on MNIST.

    Parameters
    ----------
    changes : mapping of str to str
        Of the model.
    row : str
        What the network is called in the table.
    **run
        Where the run differs from the paper's besides.
    """
    for order in (DRAWN, BY_CLASS):
        yield Cell(TABLE, "mnist", f"{row}, {order}", changes, run={"epochs": 1, "image_order": order, **run})
