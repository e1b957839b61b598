"""The result file, as whoever writes or reads one imports it: ``from hebbarium.record import results``.

A run folder holds ``configuration.json``, ``checkpoints/``, ``results.nc`` and ``figures/``. The result file is one
`xarray.DataTree` in netCDF-4. What is in it stands in `names`; `groups` and `building` make it, `validation` holds it
against the schema, `result_file` writes and opens it, `contents` reads it.

>>> import numpy as np
>>> counts = responses(np.array([[3, 0], [0, 2]]), label=[7, 1], presentation_ms=150.0)
>>> counts["spike_count"].dims, counts["spike_count"].dtype
(('sample', 'neuron'), dtype('uint16'))
"""

from __future__ import annotations

from hebbarium.record.building import build, root_attributes
from hebbarium.record.contents import array, children, class_count, class_names, decoded, image_shape, neuron_label
from hebbarium.record.groups import (
    evaluation,
    measures,
    raster,
    recording,
    responses,
    state_snapshots,
    stdp_window,
    traces,
    weight_snapshots,
)
from hebbarium.record.names import (
    ACTIVITY,
    CLASS_LAYER,
    CLASS_MEAN,
    CLASSES,
    EVALUATION,
    EXCITATORY,
    EXCITATORY_TO_CLASSES,
    FIGURES,
    FILE_NAME,
    FIXED,
    INHIBITORY,
    INPUT,
    INPUT_TO_EXCITATORY,
    LABELLING,
    MEASURES,
    MOST_ACTIVE,
    NO_CLASS,
    OPTIONAL_ATTRIBUTES,
    PER_POPULATION,
    PER_PROJECTION,
    RASTER,
    RECORDED,
    ROOT_ATTRIBUTES,
    RUN,
    SCHEMA_VERSION,
    SINGLE,
    STATE,
    STDP_WINDOW,
    TEST,
    TRACE,
    WEIGHTS,
    ResultFileError,
    SchemaError,
)
from hebbarium.record.result_file import file_of, folder_of, open_run, refuse_other, write
from hebbarium.record.validation import validate

__all__ = [
    "ACTIVITY",
    "CLASSES",
    "CLASS_LAYER",
    "CLASS_MEAN",
    "EVALUATION",
    "EXCITATORY",
    "EXCITATORY_TO_CLASSES",
    "FIGURES",
    "FILE_NAME",
    "FIXED",
    "INHIBITORY",
    "INPUT",
    "INPUT_TO_EXCITATORY",
    "LABELLING",
    "MEASURES",
    "MOST_ACTIVE",
    "NO_CLASS",
    "OPTIONAL_ATTRIBUTES",
    "PER_POPULATION",
    "PER_PROJECTION",
    "RASTER",
    "RECORDED",
    "ROOT_ATTRIBUTES",
    "RUN",
    "SCHEMA_VERSION",
    "SINGLE",
    "STATE",
    "STDP_WINDOW",
    "TEST",
    "TRACE",
    "WEIGHTS",
    "ResultFileError",
    "SchemaError",
    "array",
    "build",
    "children",
    "class_count",
    "class_names",
    "decoded",
    "evaluation",
    "file_of",
    "folder_of",
    "image_shape",
    "measures",
    "neuron_label",
    "open_run",
    "raster",
    "recording",
    "refuse_other",
    "responses",
    "root_attributes",
    "state_snapshots",
    "stdp_window",
    "traces",
    "validate",
    "weight_snapshots",
    "write",
]
