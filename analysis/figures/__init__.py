"""Figures of a run: each function takes its result tree and returns a matplotlib figure.

Nothing here touches pyplot or the caller's settings; `save_all` draws whatever a run's file has the numbers
for.
"""

from analysis.figures.accuracy_curve import accuracy_curve
from analysis.figures.class_maps import activity_panel, weight_map
from analysis.figures.confusion_matrix import confusion_matrix
from analysis.figures.convergence import convergence
from analysis.figures.distributions import distributions
from analysis.figures.layers import activity_by_class, contributions, local_losses
from analysis.figures.learning_curve import learning_curve
from analysis.figures.operation_costs import operation_costs
from analysis.figures.paper_comparison import paper_comparison
from analysis.figures.raster_plot import raster_plot
from analysis.figures.receptive_field_grid import receptive_field_grid
from analysis.figures.responding_neurons import responding_neurons
from analysis.figures.robustness_curve import robustness_curve
from analysis.figures.robustness_of_networks import robustness_of_networks
from analysis.figures.saving import folder_of, save, save_all
from analysis.figures.spike_examples import membrane_example, stdp_example
from analysis.figures.stdp_window import stdp_window
from analysis.figures.weight_time_lapse import weight_time_lapse

__all__ = [
    "accuracy_curve",
    "activity_by_class",
    "activity_panel",
    "confusion_matrix",
    "contributions",
    "convergence",
    "distributions",
    "folder_of",
    "learning_curve",
    "local_losses",
    "membrane_example",
    "operation_costs",
    "paper_comparison",
    "raster_plot",
    "receptive_field_grid",
    "responding_neurons",
    "robustness_curve",
    "robustness_of_networks",
    "save",
    "save_all",
    "stdp_example",
    "stdp_window",
    "weight_map",
    "weight_time_lapse",
]
