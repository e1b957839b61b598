"""How a trained network bears noise, lesions and coarse weights.

Works on a run of any model: the images or the trained state are disturbed, nothing learns, and the accuracy is
measured as the run's own test does. Weights are disturbed after whatever the model does to them at the end of
training (`Model.handed_on`), so that no scaling makes good for a lesion.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbarium.analysis import figures
from hebbarium.analysis.accuracy import accuracy
from hebbarium.analysis.chance import share_of_most_common
from hebbarium.datasets import draws, made_sets, own_spikes
from hebbarium.datasets.draws import Purpose
from hebbarium.engine import anatomy
from hebbarium.engine.contract import Arrays
from hebbarium.files import whole_files
from hebbarium.ledger import figures as table_figures
from hebbarium.ledger import robustness as ledger
from hebbarium.ledger.robustness import DisturbedAnswer
from hebbarium.models.contract import Model
from hebbarium.studies import identity, reproduction
from hebbarium.training import responses
from hebbarium.training.progress import Reporter
from hebbarium.training.run import Run

__all__ = [
    "PERTURBATIONS",
    "Perturbation",
    "Subject",
    "answers_of",
    "as_csv",
    "levels_of",
    "perturb_images",
    "perturb_state",
    "save",
    "side_by_side",
]

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Perturbation:
    """What is disturbed, and how strongly.

    Parameters
    ----------
    meaning, units : str
        Of a level, for the axis of the figure.
    least, most : float
        Levels allowed.
    levels : tuple of float
        Levels measured if none are given.
    whole : bool
        Whether levels are whole numbers.
    """

    meaning: str
    units: str
    least: float
    most: float
    levels: tuple[float, ...]
    whole: bool = False


_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
PERTURBATIONS: Mapping[str, Perturbation] = {
    "noise": Perturbation("Standard deviation of Gaussian noise", "share of full intensity", 0, 2, _SHARES),
    "salt-and-pepper": Perturbation("Pixels set to black or white", "share", 0, 1, (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)),
    "lesion-synapses": Perturbation("Plastic synapses removed", "share", 0, 1, _SHARES),
    "lesion-neurons": Perturbation("Neurons silenced", "share", 0, 1, _SHARES),
    "quantise": Perturbation("Precision of weights", "bits", 1, 16, (1, 2, 3, 4, 5, 6, 8), whole=True),
}


def levels_of(perturbation: str, levels: Sequence[float] = ()) -> tuple[float, ...]:
    """Levels to measure, in rising order.

    Raises
    ------
    ValueError
        The perturbation is unknown, or a level is out of its range, not whole where it has to be, or given twice.
    """
    if perturbation not in PERTURBATIONS:
        raise ValueError(f"perturbation {perturbation}: expected one of {', '.join(PERTURBATIONS)}")
    known = PERTURBATIONS[perturbation]
    chosen = tuple(sorted(levels)) or known.levels
    for level in chosen:
        if not known.least <= level <= known.most or (known.whole and level != int(level)):
            kind = "a whole number from" if known.whole else "a number from"
            raise ValueError(f"level {level:g} of {perturbation}: expected {kind} {known.least:g} to {known.most:g}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"levels {', '.join(f'{level:g}' for level in chosen)} of {perturbation}: one is given twice")
    return chosen


def perturb_images(images: Images, perturbation: str, level: float, seed: int) -> Images:
    """Images with noise; the same draw at every level, so that levels differ in nothing else.

    Parameters
    ----------
    images : (image, pixel)
    perturbation : {'noise', 'salt-and-pepper'}
        Gaussian noise is added to each pixel, and the sum cut at black and white; or pixels are set to black or to
        white, which are equally likely.
    """
    generator = draws.stream(seed, Purpose.PERTURBATION)
    if perturbation == "noise":
        noise = generator.standard_normal(images.shape, dtype=np.float32)
        return np.clip(np.rint(images + 255 * level * noise), 0, 255).astype(np.uint8)
    chance = generator.random(images.shape, dtype=np.float32)
    spoilt = np.where(generator.random(images.shape, dtype=np.float32) < 0.5, 0, 255)
    return np.where(chance < level, spoilt, images).astype(np.uint8)


def perturb_state(
    model: Model, state: Mapping[str, NDArray[Any]], perturbation: str, level: float, seed: int
) -> Arrays:
    """State with disturbed plastic weights; what a level spoils, every higher one spoils too.

    Parameters
    ----------
    perturbation : {'lesion-synapses', 'lesion-neurons', 'quantise'}
        A share of the synapses of each projection is set to 0; or all synapses onto a share of the readout
        population; or the weights of a projection take one of ``2 ** level`` values, evenly between 0 and the largest
        (from the lowest, if there are negative ones).

    Raises
    ------
    ValueError
        The model has no plastic weights, or none onto its readout population.
    """
    generator = draws.stream(seed, Purpose.PERTURBATION)
    projections = anatomy.projections(model)
    if perturbation == "lesion-neurons":
        projections = tuple(p for p in projections if p.name.endswith(f"_to_{model.readout}"))
    if not projections:
        onto = f" onto {model.readout}" if perturbation == "lesion-neurons" else ""
        raise ValueError(f"{perturbation}: model {model.name} has no plastic weights{onto}")
    disturbed = dict(state)
    silenced = generator.permutation(anatomy.populations(model)[model.readout])  # the same ones in all projections
    for p in projections:
        w = np.array(state[p.variable]).reshape(p.shape)
        if perturbation == "lesion-synapses":
            w.ravel()[generator.permutation(w.size)[: round(level * w.size)]] = 0
        elif perturbation == "lesion-neurons":
            w[:, silenced[: round(level * p.shape[1])]] = 0
        else:
            low, high = min(float(w.min()), 0.0), max(float(w.max()), 0.0)
            step = (high - low) / (2 ** int(level) - 1)
            if step > 0:
                w = (low + step * np.rint((w - low) / step)).astype(w.dtype)
        disturbed[p.variable] = w.ravel()
    return disturbed


class Subject:
    """A trained run that is disturbed; the undisturbed network is tested once, whatever is done to it after that.

    Parameters
    ----------
    run : Run
        A complete one; nothing is written into it.
    test_images : int, optional
        Images to test on, drawn evenly from the classes; all that the run was tested on if not given.
    jobs : int
        Processes at a time.

    Raises
    ------
    DatasetError
        The run was tested on fewer images.
    """

    def __init__(self, run: Run, test_images: int | None = None, jobs: int = 1) -> None:
        self.run, self._jobs = run, jobs
        self.model, self.state = _as_it_is(run.model), run.model.handed_on(run.state)
        self.shown = run.samples("tested", test_images)
        self._undisturbed: list[float] | None = None

    def _tested(
        self, pixels: Images, state: Mapping[str, NDArray[Any]], title: str, reporter: Reporter | None
    ) -> list[float]:
        counts = self.run.respond(
            pixels, model=self.model, state=state, jobs=self._jobs, title=title, reporter=reporter
        )
        predicted = responses.predictions(self.model, counts, self.run.neuron_label, self.shown.labels)
        return [accuracy(one, self.shown.labels) for one in predicted.values()]

    def measure(
        self,
        perturbation: str,
        levels: Sequence[float] = (),
        seeds: Sequence[int] = (0,),
        reporter: Reporter | None = None,
    ) -> xr.Dataset:
        """Test the network at several levels of a perturbation.

        Parameters
        ----------
        perturbation, levels
            See `PERTURBATIONS`; without levels, the perturbation's own.
        seeds
            Of the perturbation. Spikes are drawn as in the run's own test.

        Returns
        -------
        xarray.Dataset
            ``accuracy(seed, level, readout)`` and ``unperturbed(readout)``, per cent.

        Raises
        ------
        ValueError
            See `levels_of`; nothing is compiled before that. Or no seed is given.
        """
        chosen = levels_of(perturbation, levels)
        if not seeds:
            raise ValueError("seeds: expected one at least")
        on_images = perturbation in ("noise", "salt-and-pepper")
        if not on_images:
            # says what is wrong before compiling
            perturb_state(self.model, self.state, perturbation, chosen[0], seeds[0])
        readouts = responses.readouts(self.model)
        if self._undisturbed is None:
            self._undisturbed = self._tested(self.shown.pixels, self.state, "Undisturbed", reporter)
        percent = np.empty((len(seeds), len(chosen), len(readouts)))
        for i, seed in enumerate(seeds):
            for k, level in enumerate(chosen):
                title = f"{perturbation} {level:g}"
                if on_images:
                    own_spikes.refuse(self.run.images, perturbation)
                    pixels = perturb_images(self.shown.pixels, perturbation, level, seed)
                    percent[i, k] = self._tested(pixels, self.state, title, reporter)
                else:
                    disturbed = perturb_state(self.model, self.state, perturbation, level, seed)
                    percent[i, k] = self._tested(self.shown.pixels, disturbed, title, reporter)
        known = PERTURBATIONS[perturbation]
        per_cent = {"units": "%", "long_name": "test samples classified correctly"}
        return xr.Dataset(
            {
                "accuracy": (("seed", "level", "readout"), percent, per_cent),
                "unperturbed": (("readout",), self._undisturbed, per_cent),
            },
            coords={
                "seed": ("seed", list(seeds), {"units": "1", "long_name": "seed of the perturbation"}),
                "level": ("level", list(chosen), {"units": known.units, "long_name": known.meaning}),
                "readout": ("readout", list(readouts), {"units": "1", "long_name": "readout"}),
            },
            attrs={
                "perturbation": perturbation, "images": len(self.shown), "model": self.model.name,
                "run_seed": self.run.settings.seed, "chance": share_of_most_common(self.shown.labels),
            },
        )


def save(curves: xr.Dataset, folder: Path) -> tuple[Path, Path]:
    """Write the table and the figure, ``robustness_<perturbation>.csv`` and ``.png``; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"robustness_{curves.attrs['perturbation'].replace('-', '_')}.csv"
    whole_files.write(table, as_csv(curves))
    return table, figures.save(figures.robustness_curve(curves), table.with_suffix(".png"))


def as_csv(curves: xr.Dataset) -> str:
    """A line a number, as in the header; level and seed are empty where nothing was disturbed."""
    images = curves.attrs["images"]
    rows = (
        (kind, None if level is None else f"{level:g}", units, draw, readout, f"{percent:.2f}", images)
        for kind, level, units, draw, readout, percent in _accuracies(curves)
    )
    columns = ("perturbation", "level", "units", "seed", "readout", "accuracy", "images")
    return whole_files.table_text(columns, rows)


def answers_of(run: Run, curves: xr.Dataset) -> list[DisturbedAnswer]:
    """What was measured of a run, for the ledger of its paper."""
    network, images = identity.of_run(run), curves.attrs["images"]
    return [
        DisturbedAnswer(network, kind, level, draw, readout, percent, images)
        for kind, level, _, draw, readout, percent in _accuracies(curves)
    ]


def _accuracies(curves: xr.Dataset) -> Iterator[tuple[str, float | None, str, int | None, str, float]]:
    """Perturbation, level, its units, draw, readout and per cent, of the undisturbed network first."""
    readouts = [str(name) for name in curves["readout"].values]
    for readout in readouts:
        yield ledger.UNDISTURBED, None, "", None, readout, float(curves["unperturbed"].sel(readout=readout))
    kind, units = curves.attrs["perturbation"], curves["level"].attrs["units"]
    for level in map(float, curves["level"].values):
        for draw in map(int, curves["seed"].values):
            for readout in readouts:
                percent = float(curves["accuracy"].sel(level=level, seed=draw, readout=readout))
                yield kind, level, units, draw, readout, percent


def side_by_side(answers: Sequence[DisturbedAnswer]) -> Figure:
    """The figure of all runs of all ledgers, each by the readout of its paper; see `figures.robustness_of_networks`."""
    drawn = [answer for answer in answers if answer.readout == _readout_of(answer.network.model, answers)]
    axes = {name: (known.meaning, known.units) for name, known in PERTURBATIONS.items()}
    published = all(made_sets.origin(answer.network.dataset) for answer in answers)  # of ten equal classes
    return table_figures.robustness_of_networks(drawn, axes, chance=10.0 if published else None)


def _readout_of(model: str, answers: Sequence[DisturbedAnswer]) -> str:
    try:
        return reproduction.paper_of(model).readout
    except ValueError:  # a user's own model
        return next(answer.readout for answer in answers if answer.network.model == model)


def _as_it_is(model: Model) -> Model:
    """The same model, which takes a state for testing as it is instead of scaling it once more."""
    kind = type(model)
    as_it_is = {"handed_on": lambda _, state: dict(state), "__module__": kind.__module__}
    unscaled = type(kind.__name__, (kind,), as_it_is)
    made: Model = unscaled(**{f.name: getattr(model, f.name) for f in dataclasses.fields(model)})
    return made
