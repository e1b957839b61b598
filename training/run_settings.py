"""Settings of a run: one table, which options, checks, records, what tells runs apart, and documentation come from.

What takes time to import is imported where a run is made: the command line reads the table to answer ``--help``.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hebbarium.models.contract import Model

CAPACITY = 1000
"""Samples that a compiled program has room for. Blocks of any smaller size run on the same program."""
MOST_PRESENTATIONS = 50_000_000
"""Training images of a run, over all passes: which image comes when is kept in memory, and in the results."""

DRAWN, BY_CLASS = "drawn", "by_class"
"""Orders of the training images."""


class Role(enum.Enum):
    """What another value of a setting changes."""

    COMPUTED = "what is learned, or how well it does"
    MEASURED = "what is measured on the way"
    KEPT = "what is kept and said besides"
    PLACE = "nothing: it says where files are"
    FREE = "nothing that is computed"


@dataclass(frozen=True)
class Setting:
    """One row of the table.

    Parameters
    ----------
    name : str
        The field of `RunSettings`.
    kind : type
        ``str``, ``int``, ``bool``, or ``dict`` for parameters of the model.
    optional : bool
        Whether it may be None.
    default
        Its value if none is given.
    meaning : str
        As an option's help says it.
    role : Role
    least, most : int, optional
        Bounds of a number.
    among : tuple of str, or callable
        Values that a text may have; any if empty.
    option : str
        What it is called on the command line; empty if it is no option of its own.
    metavar : str, optional
        What stands for its value in an option's help.
    none : str
        What None is called on the command line, where None is not the default.
    """

    name: str
    kind: type
    optional: bool
    default: Any
    meaning: str
    role: Role = Role.COMPUTED
    least: int | None = None
    most: int | None = None
    among: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    option: str = ""
    metavar: str | None = None
    none: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """Values that a text may have; any if there are none."""
        return self.among() if callable(self.among) else self.among

    def refuse(self, value: Any) -> None:
        """Raise `ValueError` for a value of the wrong type or beyond the limits, naming the setting."""
        if value is None and self.optional:
            return
        if expected := self._other_type(value):
            raise ValueError(f"{self.name}={brief(value)}: expected {expected}")
        if self.least is not None and self.most is not None and not self.least <= value <= self.most:
            raise ValueError(f"{self.name}={value}: expected {self.least} to {self.most}")
        if self.among and value not in (self.default, *self.choices):
            raise ValueError(f"{self.name}={value[:60]}: expected one of {', '.join(self.choices)}")

    def _other_type(self, value: Any) -> str:
        """What was expected of a value of another type; empty if it has the type."""
        if self.kind is int:
            return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
        if self.kind is str:
            return "" if isinstance(value, str) and value.isprintable() else "printable text"
        if self.kind is bool:
            return "" if isinstance(value, bool) else "true or false"
        fits = isinstance(value, Mapping) and all(isinstance(symbol, str) for symbol in value)
        return "" if fits else "parameters of the model with their values"


def brief(value: Any) -> str:
    """A value as a message names it."""
    return repr(value) if len(repr(value)) < 60 else f"{repr(value)[:60]}..."


def _setting(default: Any, meaning: str, *, factory: Any = None, **more: Any) -> Any:
    """A field of `RunSettings` that is a row of the table; what it says is `Setting`'s."""
    row = {"default": default, "meaning": meaning, **more}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=row)
    return dataclasses.field(default=default, metadata=row)


def _devices() -> tuple[str, ...]:
    from hebbarium.engine import devices

    return devices.NAMES


def _label_sources() -> tuple[str, ...]:
    from hebbarium.analysis import labels

    return labels.SOURCES


@dataclass(frozen=True)
class RunSettings:
    """What a run is asked to do; kept in its folder. Each field is a row of `table`."""

    model: str = _setting("synaptic_scaling", "a name from `hebbarium models`, or your own file.py")
    #: a text, as after --set, is read at once; of a user's model, when its file runs
    changes: Mapping[str, Any] = _setting({}, "parameters of the model that are not its defaults", factory=dict)
    dataset: str = _setting(
        "mnist-embedded", "a set from `hebbarium data`, or your own .npz, .npy or .csv file, or folder of PNGs",
        option="--dataset",
    )  # fmt: skip
    data: str | None = _setting(
        None, "folder that holds the files of the data sets", option="--data", metavar="DIR", role=Role.PLACE
    )
    #: drawn evenly from the classes
    images: int | None = _setting(
        None, "training images an epoch; all if not given", option="--images", least=1, most=MOST_PRESENTATIONS
    )
    epochs: int = _setting(
        1, "passes through the training images", option="--epochs", least=1, most=MOST_PRESENTATIONS
    )
    #: where they come class by class, what a network forgets of the first ones shows at the end of a pass
    image_order: str = _setting(
        DRAWN, "order of the training images: drawn (default), or by_class: one class after the other in each pass",
        option="--image-order", among=(DRAWN, BY_CLASS),
    )  # fmt: skip
    schedule: str = _setting("", "how to train, where a model has several ways", option="--schedule")
    seed: int = _setting(
        0, "seed of every random choice", option="--seed", least=0, most=2**63 - 1  # as netCDF keeps it
    )
    device: str = _setting(
        "dense", "dense (default), cpp, cython, numpy or cuda; see `hebbarium devices`", option="--device",
        among=_devices,
    )  # fmt: skip
    precision: str = _setting(
        "float32", "float32 (default) or float64", option="--precision", among=("float32", "float64")
    )
    block: int = _setting(CAPACITY, "images between two checkpoints", option="--block", least=1, most=CAPACITY)
    test_images: int | None = _setting(
        None, "images to test on; all if not given", option="--test-images", least=1, most=MOST_PRESENTATIONS
    )
    validation: int = _setting(
        0, "training images to hold out", option="--validation", least=0, most=MOST_PRESENTATIONS
    )
    evaluate_on: str = _setting(
        "test", "test (default) or validation", option="--evaluate-on", among=("test", "validation")
    )
    evaluate_every: int | None = _setting(
        None, "training images between two measurements, made when blocks end", option="--evaluate-every",
        least=1, most=MOST_PRESENTATIONS, role=Role.MEASURED,
    )  # fmt: skip
    evaluate_images: int = _setting(
        2000, "images of each measurement, 2,000 if not given; the last is on all", option="--evaluate-images",
        least=1, most=MOST_PRESENTATIONS, role=Role.MEASURED,
    )  # fmt: skip
    labels_from: str = _setting(
        "", "responses that label the neurons: all, second_half, last_pass, or labelling (a frozen pass); as the model"
        " has it if not given", option="--labels-from", among=_label_sources,
    )  # fmt: skip
    labelling_images: int | None = _setting(
        10000, "training images of the frozen pass, a number or all", option="--labelling-images", metavar="NUMBER",
        least=1, most=MOST_PRESENTATIONS, none="all",
    )  # fmt: skip
    snapshots: int = _setting(
        8, "how often the weights are kept", option="--snapshots", least=1, most=10_000, role=Role.KEPT
    )
    jobs: int = _setting(1, "processes at a time", option="--jobs", least=1, most=4096, role=Role.FREE)
    warm_start: str | None = _setting(None, "begin with a trained run", option="--from", metavar="RUN")
    weights_from: str | None = _setting(
        None, "begin with weights of your own, an .npz, .csv or .nir file", option="--weights-from", metavar="FILE"
    )
    recordings: str = _setting(
        "", "keep the course of a variable, such as excitatory.v[0:10]@image=3, or @test=0; can be repeated",
        option="--record", role=Role.KEPT,
    )  # fmt: skip
    profile: bool = _setting(
        False, "say where the time of training went", option="--profile", role=Role.KEPT
    )

    @classmethod
    def table(cls) -> dict[str, Setting]:
        """All settings by name."""
        return _table()

    def __post_init__(self) -> None:
        from hebbarium.training import limits

        limits.refuse_settings(self)
        from hebbarium.catalogue import registry
        from hebbarium.training import parameters

        known = self.model in registry.models()  # others are refused later
        if known:  # a user's file does not run for this
            object.__setattr__(self, "changes", parameters.values(registry.find(self.model), self.changes))
        if not self.labels_from and (known or self._names_a_file()):
            object.__setattr__(self, "labels_from", registry.find(self.model).labels_from)

    def _names_a_file(self) -> bool:
        """Whether the model is a file that somebody names here; those that run folders name are not run for this."""
        from hebbarium.catalogue import own_models, papers

        file = None if isinstance(self.model, own_models.Recorded) else own_models.file_in(papers.located(self.model))
        return file is not None and file.is_file()

    def make_model(self) -> Model:
        """The model with its changes applied."""
        from hebbarium.catalogue import registry
        from hebbarium.training import parameters

        return parameters.apply(registry.find(self.model), self.changes)

    @classmethod
    def recorded(cls, kept: Mapping[str, Any]) -> RunSettings:
        """Settings as `record` gave them, of which other versions have had more, or fewer. Raises `ValueError`."""
        return cls(**{name: kept[name] for name in cls.table() if name in kept})

    def record(self) -> dict[str, Any]:
        """What a run's folder and its results keep: each setting in a type that JSON knows, parameters as texts."""
        from hebbarium.catalogue import registry
        from hebbarium.training import parameters

        changes = dict(self.changes)
        if not all(isinstance(value, str) for value in changes.values()):
            changes = parameters.texts(registry.find(self.model), changes)
        return {name: getattr(self, name) for name in self.table()} | {"changes": changes}

    def phases(self, model: Model) -> list[tuple[str, int]]:
        """The phases that training goes through, and the passes of each through the images.

        Raises
        ------
        ValueError
            The model has no such schedule.
        """
        schedule = self.schedule or next(iter(model.schedules))
        if schedule not in model.schedules:
            raise ValueError(f"schedule={schedule}: {model.name} has {', '.join(model.schedules)}")
        return [(phase, model.passes.get(phase, self.epochs)) for phase in model.schedules[schedule]]


@functools.cache
def _table() -> dict[str, Setting]:
    rows = {}
    hints = typing.get_type_hints(RunSettings)
    for field in dataclasses.fields(RunSettings):
        hint = hints[field.name]
        kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        kind = kinds[0] if kinds[0] in (str, int, bool) else dict
        rows[field.name] = Setting(field.name, kind, type(None) in kinds, **field.metadata)
    return rows


def _documentation() -> str:
    """The table as a docstring lists parameters."""
    lines = ["Parameters", "----------"]
    for row in _table().values():
        lines += [f"{row.name} : {row.kind.__name__}{', optional' if row.optional else ''}"]
        consequence = "" if row.role is Role.COMPUTED else f"; changes {row.role.value}"
        lines += [f"    {row.meaning.replace('`', '``')}{consequence}"]
    return "\n".join(lines)


RunSettings.__doc__ = f"{RunSettings.__doc__}\n\n{_documentation()}\n"


def of_role(*roles: Role) -> tuple[str, ...]:
    """Names of the settings with one of these roles."""
    return tuple(name for name, row in _table().items() if row.role in roles)
