"""The names in a result file: groups, variables, attributes, and what each one has to be.

===================================  ==================================================================
``/``                                attributes: where the numbers come from (`ROOT_ATTRIBUTES`)
``activity/<population>``            ``spike_count(sample, neuron)`` while training; ``label``, ``image``
                                     and ``block`` of each sample
``weights/<projection>``             ``w(samples_seen, pre, post)``
``state/<population>``               snapshots of neurons' variables, such as ``theta(samples_seen, neuron)``
``labelling/<population>``           responses of a frozen pass over training images, if there was one
``test/<population>``                responses to the held-out images
``evaluation``                       accuracy, confusion, labels of neurons, predictions, running accuracy
``raster/<population>``              the spikes of some presentations, one entry a spike
``stdp_window``                      ``delta_w(delta_t)``, measured
``trace/<population>``               variables ``(stimulus, time)`` of neurons that are given stimuli, and these
``recorded/<group.variable>``        ``value(presentation, time, element)``, or ``(presentation, time, pre,
                                     post)``, of a recording that was asked for
``measures``                         ``value(measure)`` of an experiment, each with its unit and its setting
===================================  ==================================================================

Groups that a run does not have are left out. A model may add variables of its own to any group, and groups of
its own, as long as every variable has ``units`` and ``long_name``.
"""

from __future__ import annotations

from collections.abc import Mapping

from hebbarium.files.errors import EngineError

SCHEMA_VERSION = 1
FILE_NAME = "results.nc"
FIGURES = "figures"
FIXED = "fixed"
"""Attribute of the weights of a projection that nothing changes while the network learns."""

ACTIVITY = "activity"
WEIGHTS = "weights"
STATE = "state"
LABELLING = "labelling"
TEST = "test"
EVALUATION = "evaluation"
RASTER = "raster"
STDP_WINDOW = "stdp_window"
TRACE = "trace"
MEASURES = "measures"
RECORDED = "recorded"

INPUT = "input"
EXCITATORY = "excitatory"
INHIBITORY = "inhibitory"
CLASSES = "classes"
INPUT_TO_EXCITATORY = "input_to_excitatory"
EXCITATORY_TO_CLASSES = "excitatory_to_classes"

MOST_ACTIVE = "most_active"
CLASS_MEAN = "class_mean"
CLASS_LAYER = "class_layer"

NO_CLASS = -1
"""Label of a neuron that never fired, and the prediction of a network that gave no answer."""

TEXT, JSON, INTEGER, NUMBER, FLAG = "text", "JSON text", "integer", "number", "0 or 1"

ROOT_ATTRIBUTES: Mapping[str, str] = {
    "schema_version": INTEGER,
    "model": TEXT,
    "paper": TEXT,
    "parameters": JSON,
    "options": JSON,
    "seed": INTEGER,
    "device": TEXT,
    "precision": TEXT,
    "versions": JSON,
    "git_commit": TEXT,
    "git_dirty": FLAG,
    "dataset": TEXT,
    "dataset_sha256": TEXT,
    "wall_time_s": NUMBER,
    "synaptic_events": INTEGER,
    "command": TEXT,
    "complete": FLAG,
    "samples_seen": INTEGER,
}
"""Attributes that every result file has, and what each one is. Text that is not known is empty."""

OPTIONAL_ATTRIBUTES = ("class_names", "image_shape")
"""Attributes of runs on images, JSON lists: names of the classes, by number; rows and columns of an image."""

RUN = "run"
"""Attribute of the results of a run: the digest of what it began with. Later than the first files of this schema."""

PER_POPULATION = (ACTIVITY, STATE, LABELLING, TEST, RASTER, TRACE)
PER_PROJECTION = (WEIGHTS,)
SINGLE = (EVALUATION, STDP_WINDOW, MEASURES)

# group -> variable -> (dimensions, kinds of NumPy dtype allowed, has to be there)
VARIABLES: Mapping[str, Mapping[str, tuple[tuple[str, ...], str, bool]]] = {
    ACTIVITY: {
        "spike_count": (("sample", "neuron"), "u", True),
        "label": (("sample",), "i", True),
        "image": (("sample",), "i", True),
        "block": (("sample",), "i", True),
        "presentations": (("sample",), "i", False),
    },
    WEIGHTS: {
        "w": (("samples_seen", "pre", "post"), "f", True),
        "samples_seen": (("samples_seen",), "i", True),
    },
    STATE: {
        "theta": (("samples_seen", "neuron"), "f", False),
        "samples_seen": (("samples_seen",), "i", True),
    },
    LABELLING: {
        "spike_count": (("sample", "neuron"), "u", True),
        "label": (("sample",), "i", True),
        "image": (("sample",), "i", False),
    },
    TEST: {
        "spike_count": (("sample", "neuron"), "u", True),
        "label": (("sample",), "i", True),
        "image": (("sample",), "i", True),
        "presentations": (("sample",), "i", False),
    },
    EVALUATION: {
        "accuracy": (("seed", "samples_seen", "readout"), "f", False),
        "confusion": (("readout", "true_class", "predicted_class"), "iu", False),
        "neuron_label": (("neuron",), "i", False),
        "predicted": (("readout", "sample"), "i", False),
        "running_accuracy": (("samples_seen_block",), "f", False),
        "seed": (("seed",), "i", False),
        "samples_seen": (("samples_seen",), "i", False),
        "samples_seen_block": (("samples_seen_block",), "i", False),
    },
    RASTER: {
        "spike_time": (("spike",), "f", True),
        "spike_neuron": (("spike",), "iu", True),
        "spike_presentation": (("spike",), "iu", True),
    },
    TRACE: {
        "given": (("stimulus", "time"), "f", True),
        "level": (("stimulus",), "f", True),
        "time": (("time",), "f", True),
    },
    MEASURES: {
        "value": (("measure",), "f", True),
    },
    STDP_WINDOW: {
        "delta_w": (("delta_t",), "f", True),
        "delta_t": (("delta_t",), "f", True),
    },
}


class SchemaError(EngineError, ValueError):
    """A tree, or a file, is not what this version's schema says."""


class ResultFileError(EngineError, OSError):
    """A result file is missing, truncated or not a result file at all."""
