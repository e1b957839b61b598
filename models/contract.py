"""What every model declares, so that all papers can be treated alike.

A model is a frozen dataclass whose fields are made with `quantity`, `encoding`, `structure`, `notation` or
`choice`.
Each says its meaning and its source, once; the documentation, the command line, the result files and the
network read it from there.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from brian2 import Network, Quantity, get_dimensions, have_same_dimensions, hertz, second, siemens, volt
from brian2.units import stdunits
from brian2.units.fundamentalunits import get_unit
from numpy.typing import NDArray

from hebbarium.models import ranges
from hebbarium.models.operations import Shown, Work
from hebbarium.models.ranges import ANY, Range
from hebbarium.models.readouts import Measure, Readout, by_labels
from hebbarium.models.slots import ONE_BY_ONE, Slots
from hebbarium.models.spiking_layers import CannotBeHeld, SpikingLayers

Arrays = dict[str, NDArray[Any]]

# How a unit is written in an equation string.
_EQUATION_UNITS = {
    get_dimensions(u): name
    for u, name in [(second, "second"), (volt, "volt"), (hertz, "hertz"), (siemens, "siemens"), (1, "1")]
}
_BASE_UNITS = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")


def quantity(default: Any, unit: Any, meaning: str, source: str, within: Range = ANY) -> Any:
    """A number of the equations: reaches the compiled program at run time, so it can be swept.

    Parameters
    ----------
    default : Quantity or float
    unit : Unit or 1
        The unit it is shown in.
    meaning, source : str
        Source: ``Table II``, ``Eq. 7`` or ``not stated; ...``.
    within : Range
        Which values it may have, in that unit.
    """
    return _field("quantity", default, unit, meaning, source, within)


def encoding(default: Any, unit: Any, meaning: str, source: str, within: Range = ANY) -> Any:
    """A number used before the program runs, to turn images into inputs: can be swept as well."""
    return _field("encoding", default, unit, meaning, source, within)


def structure(default: Any, unit: Any, meaning: str, source: str, within: Range = ANY) -> Any:
    """A size or a step that is compiled in: another value is another program."""
    return _field("structure", default, unit, meaning, source, within)


def choice(default: Any, among: tuple[Any, ...], meaning: str, source: str) -> Any:
    """One of several readings of the paper, compiled in."""
    return _field("choice", default, 1, meaning, source, among=among)


def notation(default: str, reads: Callable[[str], object], meaning: str, source: str) -> Any:
    """A structure in a notation of its own, compiled in; ``reads`` raises ValueError for what means nothing in it."""
    return _field("structure", default, 1, meaning, source, reads=reads)


def file(default: str, reads: Callable[[str], object], meaning: str, source: str) -> Any:
    """A file of the user's own, by its path, or what comes with the project, by its name.

    The model says what of it is compiled in (`Model.structure_key`). A run keeps a digest of it. ``reads`` raises
    ValueError for a file that is not there.
    """
    return _field("file", default, 1, meaning, source, reads=reads)


def _field(
    kind: str, default: Any, unit: Any, meaning: str, source: str, within: Range = ANY, among: tuple[Any, ...] = (),
    reads: Callable[[str], object] | None = None,
) -> Any:
    return dataclasses.field(
        default_factory=lambda: default,  # a quantity is an array, which dataclasses take for mutable
        metadata={
            "kind": kind,
            "default": default,
            "unit": unit,
            "meaning": meaning,
            "source": source,
            "within": within,
            "among": among,
            "reads": reads,
        },
    )


@dataclass(frozen=True)
class Parameter:
    """One row of a model's parameter table."""

    symbol: str
    kind: str
    default: Any
    unit: Any
    meaning: str
    source: str
    within: Range
    among: tuple[Any, ...]
    reads: Callable[[str], object] | None = None

    def fault(self, value: Any) -> str:
        """Why a value with the dimensions of the default cannot be this parameter's; empty if it can."""
        if self.reads is not None:
            return self._unreadable(value)
        if self.kind == "choice":
            return "" if value in self.among else f"expected one of {', '.join(map(str, self.among))}"
        return ranges.fault(value, self.unit, self.unit_name, self.within, isinstance(self.default, int | tuple))

    def _unreadable(self, text: Any) -> str:
        assert self.reads is not None
        if not isinstance(text, str):
            return "expected a text"
        try:
            self.reads(text)
        except ValueError as error:
            return str(error)
        return ""

    @property
    def unit_name(self) -> str:
        """The unit as shown to a reader; empty for pure numbers."""
        return "" if isinstance(self.unit, int) else str(self.unit)

    @property
    def equation_unit(self) -> str:
        """The unit as an equation string declares it."""
        dimensions = get_dimensions(self.default)
        exponents = zip(_BASE_UNITS, dimensions._dims, strict=True)
        in_base_units = "*".join(f"{unit}**{exponent:g}" for unit, exponent in exponents if exponent)
        return _EQUATION_UNITS.get(dimensions, in_base_units)

    def show(self, value: Any) -> str:
        """The value as it can be typed after ``--set symbol=``; read again, it is the same to the last bit."""
        if isinstance(value, tuple):
            return ",".join(map(str, value))
        if not isinstance(value, Quantity | float | np.floating):
            return str(value)
        number = float(value)
        if isinstance(value, Quantity) and not isinstance(self.unit, int):
            typed = typed_unit(self.unit)
            if text := _shortest(number / float(self.unit), lambda text: float(text) * float(self.unit) == number):
                return f"{text}{typed}"
            # no number times this unit is this value: the unit without prefix multiplies by one
            return f"{number!r}{typed_unit(get_unit(get_dimensions(value)))}"
        return _shortest(number, lambda text: float(text) == number) or str(number)


def typed_unit(unit: Any) -> str:
    """A unit as it is typed behind a number: ``*mV``, ``*(1/ms)``, ``*(uA/cm2)``.

    Brian2 shows second as s, but knows no name s; and no name of a unit that is made of others.
    """
    text = re.sub(r"\(?(\w+)\^-1\)?", r"1/\1", str(unit)).replace("(", "").replace(")", "").replace("^", "")
    first, *others = text.split("/")
    if (first == "1" or hasattr(stdunits, first)) and all(hasattr(stdunits, name) for name in others):
        return f"*({text})" if others else f"*{text}"
    return f"*{unit!r}" if repr(unit).isidentifier() else f"*({repr(unit).replace(' ', '')})"


def _shortest(number: float, reads_back: Callable[[str], bool]) -> str:
    """The number with as few digits from twelve on as read back; empty if none do."""
    near = (number, math.nextafter(number, math.inf), math.nextafter(number, -math.inf))
    texts = [f"{number:.{digits}g}" for digits in range(12, 17)] + [f"{other:.17g}" for other in near]
    return next((text for text in texts if reads_back(text)), "")


@dataclass(frozen=True, eq=False)
class Model:
    """Base of all models. Subclasses add fields, `build` and the declarations below."""

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    phases: ClassVar[tuple[str, ...]]
    #: population of one neuron whose spike says that a sample is over, where samples are shown more than once
    controller: ClassVar[str] = ""
    #: responses that neurons are labelled by, unless a run says otherwise; see `hebbarium.analysis.labels`
    labels_from: ClassVar[str] = "second_half"
    #: phases that are trained for their own number of passes through the images, whatever a run asks for
    passes: ClassVar[Mapping[str, int]] = {}
    #: phases that build on what another run has learned, and the weights that they learn anew
    anew: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: per-neuron state, of every population that has it, that results show and that is handed on as weights are:
    #: {variable: unit}
    shown_state: ClassVar[Mapping[str, Any]] = {}
    #: of these, what a run tells the sum of when training is over, unless it is zero: {variable: what it counts}
    told_counts: ClassVar[Mapping[str, str]] = {}
    #: what has to hold between parameters, besides what the classes say that this one is derived from; see
    #: `hebbarium.models.ranges.broken`
    relations: ClassVar[tuple[str, ...]] = ()
    #: why files for other simulators, such as NIR, cannot hold the network; see `spiking_layers`
    beyond_layers: ClassVar[str] = "its model does not say what its layers and neurons are (Model.spiking_layers)"
    #: how printed slips of the paper were corrected
    slips: ClassVar[tuple[str, ...]] = ()
    #: what the paper leaves open and what was found, for the documentation
    open_choices: ClassVar[tuple[str, ...]] = ()

    @property
    def schedules(self) -> Mapping[str, tuple[str, ...]]:
        """How a run may train: name to the phases it goes through, one after the other; the first is the default.

        A schedule without phases trains nothing: a run tests what `calibrated` gives. There is no schedule at all where
        a network is not for images; see `hebbarium.models.stimulated`.
        """
        return {"train": ("train",)}

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """What is read, and how answers come of it. The first readout's population is the one that is shown."""
        return by_labels("excitatory")

    @property
    def readout(self) -> str:
        """The population of the first readout."""
        return self.readouts[0].population

    def shows(self, variable: str) -> bool:
        """Whether results show a variable, ``population.name``; see `shown_state`."""
        return variable.partition(".")[2] in self.shown_state

    def measures(self, learns: bool) -> tuple[Measure, ...]:
        """What readouts read, each once: while a network learns, the first readout's and what no teacher says."""
        first, *others = self.readouts
        read = [first, *(readout for readout in others if not (learns and readout.taught))]
        by_key = {measure.key: measure for readout in read for measure in readout.measures}
        return tuple(by_key.values())

    @property
    def rastered(self) -> tuple[str, ...] | None:
        """Populations whose spikes a test keeps, which rasters show; None for all, unless there are very many."""
        return None

    @classmethod
    def tuned(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters that follow from others unless they are given: constants that a paper tunes to a size or a set.

        Parameters
        ----------
        given : mapping
            Symbol to value, as far as values are given.
        """
        return {}

    # -- the parameter table ---------------------------------------------------------------------------
    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """The table, in the order of the file; what comes of a part that models share, a class without a name, last."""
        parts = [kind for kind in cls.__mro__ if "name" not in vars(kind)]
        shared = {name for kind in parts for name in vars(kind).get("__annotations__", {})}
        rows = [Parameter(f.name, **f.metadata) for f in dataclasses.fields(cls) if "kind" in f.metadata]
        return {row.symbol: row for row in sorted(rows, key=lambda row: row.symbol in shared)}

    def __post_init__(self) -> None:
        for symbol, row in self.parameters().items():
            value = getattr(self, symbol)
            plain = row.kind == "choice" or isinstance(row.default, tuple | str)
            if not plain and not have_same_dimensions(value, row.default):
                expected = row.unit_name or "a number without unit"
                raise ValueError(
                    f"{symbol}={value}: expected {expected}, as in --set {symbol}={row.show(row.default)}"
                )
            if fault := row.fault(value):
                raise ValueError(f"{symbol}={row.show(value)}: {fault}")
        self._refuse_unrelated()

    def _refuse_unrelated(self) -> None:
        table = self.parameters()
        values = {symbol: getattr(self, symbol) for symbol in table}
        needed = dict.fromkeys(r for kind in reversed(type(self).__mro__) for r in vars(kind).get("relations", ()))
        if fault := ranges.broken(needed, values):
            words, symbols = fault
            given = ", ".join(f"{symbol}={table[symbol].show(values[symbol])}" for symbol in symbols)
            raise ValueError(f"{given}: expected {words}")

    def replace(self, **changes: Any) -> Self:
        """The same model with some fields changed."""
        return dataclasses.replace(self, **changes)

    def declare(self, *symbols: str, flags: str = "shared, constant") -> str:
        """Equation lines that make quantities of the table readable in a group's equations."""
        table = self.parameters()
        return "".join(f"{s} : {table[s].equation_unit} ({flags})\n" for s in symbols)

    def declare_used(self, *code: str, besides: tuple[str, ...] = ()) -> str:
        """`declare` for every quantity that occurs in this code, except those that a neighbour provides."""
        words = set(re.findall(r"\w+", " ".join(code)))
        used = [
            s for s, row in self.parameters().items() if row.kind == "quantity" and s in words - set(besides)
        ]
        return self.declare(*used)

    def run_time_values(self) -> dict[str, float]:
        """All quantities in SI units, by symbol: what the engine writes into a compiled program."""
        return {s: float(getattr(self, s)) for s, row in self.parameters().items() if row.kind == "quantity"}

    @property
    def written_as(self) -> type:
        """The class whose file, and what it imports, say what is compiled."""
        return type(self)

    def structure_key(self) -> dict[str, str]:
        """Everything that is compiled in, as text."""
        return {
            s: row.show(getattr(self, s))
            for s, row in self.parameters().items()
            if row.kind in ("structure", "choice")
        }

    # -- what a subclass declares ----------------------------------------------------------------------
    def build(self, phase: str, inputs: Arrays) -> Network:
        """The network of named objects for a block. Runs nothing and does not know the device.

        Parameters
        ----------
        phase : str
            One of `phases`.
        inputs : dict of arrays
            One array ``(samples, ...)`` for each name of `all_inputs`; a compiled program takes their shape from
            here and their values at run time.
        """
        raise NotImplementedError

    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Images ``(samples, pixels)`` as inputs of the network."""
        raise NotImplementedError

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """What a block of a phase is given, one array ``(samples, ...)`` a name.

        Parameters
        ----------
        phase : str
        images : (samples, pixels)
        labels : (samples,)
            Classes, for the phases in which a teacher knows them.
        """
        return self.encode(images)

    def slots(self, phase: str) -> Slots:
        """Which presentation holds which samples. The batch is the same in all phases."""
        return ONE_BY_ONE

    def sample_steps(self, phase: str) -> int:
        """Steps of one presentation of a sample."""
        raise NotImplementedError

    def longest_delays(self) -> dict[str, float]:
        """Pathways with delays: the state variable that holds them, ``<pathway>.delay``, and the longest in seconds.

        To name one is to promise that its sources are silent for that long before a presentation ends, so that
        nothing is under way at the end of a block. The delays are state: given to a program at run time, drawn once
        in `initial_state`, handed on as weights are. In `build`, the pathway's delays are set to any expression, which
        says that there are some.
        """
        return {}

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """State variables whose initial values are drawn; the others begin as `build` sets them."""
        return {}

    def calibrated(self, state: Arrays, images: NDArray[np.uint8]) -> Arrays:
        """State of `initial_state`, fitted to the training images before anything is shown; a pure function.

        Parameters
        ----------
        state : dict of arrays
        images : (samples, pixels)
            All that a run trains on, in the order of their set.
        """
        return state

    def computed(self, inputs: Arrays) -> Arrays:
        """What measures of the kind `hebbarium.models.readouts.Computed` read, ``(samples, neurons)`` by their key.

        Parameters
        ----------
        inputs : dict of (samples, ...) arrays
            As `all_inputs` gives them in the phase ``test``.
        """
        return {}

    def spiking_layers(self, state: Arrays) -> SpikingLayers:
        """The trained network as layers of neurons that other simulators have; a pure function.

        Parameters
        ----------
        state : dict of arrays
            Of the phase ``test``.

        Raises
        ------
        CannotBeHeld
            It holds something else as well; `beyond_layers` says what.
        """
        raise CannotBeHeld(f"model {self.name}: {self.beyond_layers}")

    def handed_on(self, state: Arrays) -> Arrays:
        """What training hands to the phases in which nothing learns; a pure function."""
        return dict(state)

    def between_passes(self, state: Arrays, generator: np.random.Generator) -> Arrays:
        """State after a pass through the training images, before the next pass of the same phase; a pure function.

        A model that has it is trained in blocks that end with each pass.

        Parameters
        ----------
        state : dict of arrays
        generator : numpy.random.Generator
            Random numbers of this pass alone: a run that is resumed draws the same.
        """
        return state

    def epoch_inputs(self, phase: str, epochs: NDArray[np.integer]) -> Arrays:
        """What a block of a phase is given besides, by the epoch: a rate of learning that falls, say.

        Parameters
        ----------
        phase : str
        epochs : (samples,)
            Passes through the training images before the one a sample belongs to.
        """
        return {}

    def all_inputs(
        self,
        phase: str,
        images: NDArray[np.uint8],
        labels: NDArray[np.integer],
        epochs: NDArray[np.integer] | None = None,
    ) -> Arrays:
        """`inputs` and `epoch_inputs` together; of the first epoch, unless epochs are given."""
        epochs = np.zeros(len(images), np.int64) if epochs is None else epochs
        return {**self.inputs(phase, images, labels), **self.epoch_inputs(phase, epochs)}

    def blank(self, phase: str, pixels: int) -> Arrays:
        """What a block of one sample is given in which nothing is shown: networks are described and compiled with it.

        Parameters
        ----------
        phase : str
        pixels : int
            Of an image, for networks that are shown some.
        """
        return self.all_inputs(phase, np.zeros((1, pixels), np.uint8), np.zeros(1, int))

    def input_spikes(
        self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]
    ) -> float:
        """Spikes of the input neurons to be expected; 0 where a model does not say.

        Parameters
        ----------
        images : (samples, pixels)
        presentations : (samples,)
            How often each was shown.
        """
        return 0.0

    def work(self, phase: str, shown: Shown) -> tuple[Work, ...] | None:
        """Every string that a presentation carries out, with how often, where that differs from what the network runs.

        Parameters
        ----------
        phase : str
            One of `phases`, run with the spikes of all populations recorded.
        shown : Shown
            What was recorded.

        Returns
        -------
        tuple of Work or None
            None: as the network runs, which `hebbarium.studies.work` reads off it.
        """
        return None

    def connections(self) -> tuple[int, ...] | None:
        """Connections onto each layer of a conventional network like this one, which operations are held beside.

        Returns
        -------
        tuple of int or None
            None: the weights of its all-to-all synapses, which `hebbarium.studies.operations` reads off it.
        """
        return None

    def skipped(self, shown: Shown) -> float | None:
        """Part of a training presentation's weights, 0 to 1, that its rule leaves alone; None if it never does."""
        return None
