"""Figures of a run: each function takes its result tree and returns a matplotlib figure.

Nothing here touches pyplot or the caller's settings; `save_all` draws whatever a run's file has the numbers
for.
"""

from hebbarium.analysis.figures.answer_times import answer_times
from hebbarium.analysis.figures.class_maps import activity_panel, weight_map
from hebbarium.analysis.figures.confusion_matrix import confusion_matrix
from hebbarium.analysis.figures.convergence import convergence
from hebbarium.analysis.figures.dead_neurons import dead_neurons
from hebbarium.analysis.figures.diagnosis import diagnosed
from hebbarium.analysis.figures.distributions import distributions
from hebbarium.analysis.figures.encodings import encoded_spikes, encoding_costs
from hebbarium.analysis.figures.layers import activity_by_class, contributions, local_losses
from hebbarium.analysis.figures.learning_curve import learning_curve
from hebbarium.analysis.figures.learning_curves import learning_curves
from hebbarium.analysis.figures.neurons import courses, f_i_curve, learned_train, panels, phase_plane, rate_curves
from hebbarium.analysis.figures.raster_plot import raster_plot
from hebbarium.analysis.figures.receptive_field_grid import receptive_field_grid
from hebbarium.analysis.figures.recordings import recordings
from hebbarium.analysis.figures.responding_neurons import responding_neurons
from hebbarium.analysis.figures.robustness_curve import robustness_curve
from hebbarium.analysis.figures.saving import content, drawable, folder_of, save, save_all
from hebbarium.analysis.figures.spike_examples import membrane_example, stdp_example
from hebbarium.analysis.figures.stdp_window import stdp_window
from hebbarium.analysis.figures.surrogates import surrogates
from hebbarium.analysis.figures.taught_times import learned_by, taught_times
from hebbarium.analysis.figures.time_course import time_course
from hebbarium.analysis.figures.weight_time_lapse import weight_time_lapse

__all__ = [
    "activity_by_class",
    "activity_panel",
    "answer_times",
    "confusion_matrix",
    "content",
    "contributions",
    "convergence",
    "courses",
    "dead_neurons",
    "diagnosed",
    "distributions",
    "drawable",
    "encoded_spikes",
    "encoding_costs",
    "f_i_curve",
    "folder_of",
    "learned_by",
    "learned_train",
    "learning_curve",
    "learning_curves",
    "local_losses",
    "membrane_example",
    "panels",
    "phase_plane",
    "raster_plot",
    "rate_curves",
    "receptive_field_grid",
    "recordings",
    "responding_neurons",
    "robustness_curve",
    "save",
    "save_all",
    "stdp_example",
    "stdp_window",
    "surrogates",
    "taught_times",
    "time_course",
    "weight_map",
    "weight_time_lapse",
]
