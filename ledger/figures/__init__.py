"""Figures of the ledger's rows: each function takes rows and returns a matplotlib figure."""

from hebbarium.ledger.figures.accuracy_by_size import accuracy_by_size
from hebbarium.ledger.figures.curve import Curve, curve
from hebbarium.ledger.figures.every_number import every_number
from hebbarium.ledger.figures.input_costs import InputCost, input_costs, input_costs_of_encoders, spikes_for
from hebbarium.ledger.figures.operation_costs import operation_costs
from hebbarium.ledger.figures.paper_comparison import paper_comparison
from hebbarium.ledger.figures.robustness_of_networks import robustness_of_networks

__all__ = [
    "Curve",
    "InputCost",
    "accuracy_by_size",
    "curve",
    "every_number",
    "input_costs",
    "input_costs_of_encoders",
    "operation_costs",
    "paper_comparison",
    "robustness_of_networks",
    "spikes_for",
]
