"""What is wrong with a network that does not learn, as far as its result file shows it.

`diagnose` looks for what usually goes wrong with spiking networks. Each finding says what is seen, with its numbers,
what it means, and which parameters of the run to try. The limits from which something counts as a finding are rules of
thumb, fitted to nothing: they are the constants of this module. A network may have findings and do well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis import chance
from hebbarium.analysis.sparseness import responding
from hebbarium.record import results

__all__ = ["Finding", "bounds", "class_rates", "diagnose", "learning", "reach", "share_won", "won"]

MANY_SILENT = 0.1
"""Part of the neurons, or of the samples, from which silence is a finding."""
AT_UPPER, AT_EITHER, AT_LOWER = 0.25, 0.9, 0.95
"""Parts of the weights at their upper bound, at either (one in ten of these at the upper), and at the lower."""
FADED = 0.2
"""Spikes a sample of the last tenth of training, in parts of the most active tenth."""
TENTHS = 10
ALL_AT_ONCE = 0.5
"""Part of the neurons that answer the median sample, in a network with inhibition."""
FEWEST_OF_CLASS = 10
"""Samples of a class below which nothing is said of it."""
FEWEST_SAMPLES = 20
"""Samples below which nothing is said of who wins, and of how many fire."""
LEVEL = 0.05
"""Probability by chance up to which a class counts as recognised."""
_NAMED = 8  # classes and neurons that are named in a sentence


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Parameters
    ----------
    name : str
        As a heading, such as ``silent neurons``.
    seen : str
        What the file shows, with numbers.
    means : str
        What usually causes it, and what it does.
    remedy : str
        What to try, with the run's own parameters and their values.
    """

    name: str
    seen: str
    means: str
    remedy: str


def diagnose(tree: xr.DataTree) -> list[Finding]:
    """Everything that is found in a run's result tree; empty if nothing is.

    Parameters
    ----------
    tree : xarray.DataTree
        See `hebbarium.record.results.open_run`. What it does not hold is not looked at.
    """
    return [finding for check in _CHECKS for finding in check(tree)]


# -- what is read off ----------------------------------------------------------------------------------------
def won(spike_count: ArrayLike) -> NDArray[np.int64]:
    """How many samples each neuron is the most active one for, ``(neuron,)``; silent samples count for nobody.

    Examples
    --------
    >>> won([[3, 0], [2, 1], [0, 0]])
    array([2, 0])
    """
    counts = np.asarray(spike_count)
    answered = counts[counts.any(axis=1)]
    return np.bincount(answered.argmax(axis=1), minlength=counts.shape[1]) if len(answered) else np.zeros(
        counts.shape[1], np.int64)  # fmt: skip


def share_won(label: ArrayLike) -> float:
    """Part of the samples above which a neuron that wins them has to answer for other classes than its own.

    Twice that of the most common class, and no more than half of what is left beyond that.

    Examples
    --------
    >>> share_won([0, 1, 2, 3]), share_won([0, 1])
    (0.5, 0.75)
    """
    common = chance.share_of_most_common(label) / 100
    return min(2 * common, (1 + common) / 2)


def learning(tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """Snapshots of the projections that learn, by name, those of the input first.

    Left out are projections that no equation of training changes, such as fixed feedback.
    """
    groups = {str(name): node.to_dataset() for name, node in results.children(tree, results.WEIGHTS).items()}
    order = sorted(groups, key=lambda name: not _is_of_input(name))
    return {name: groups[name] for name in order if not groups[name].attrs.get(results.FIXED, 0)}


def bounds(tree: xr.DataTree, projection: str) -> dict[str, float]:
    """Least and largest weight of a projection by the symbols of their parameters; empty if they are not known.

    ``w_min`` and ``w_max``, or ``w_max_class`` above the input where there is one.
    """
    known = {symbol: _number(tree, symbol) for symbol in ("w_min", *_symbols(tree, projection, "w_max"))}
    return {symbol: value for symbol, value in known.items() if value is not None} if None not in known.values() else {}


def reach(tree: xr.DataTree) -> float | None:
    """What θ can be, in millivolts, before no excitation lifts a neuron to its threshold; None if it is not known.

    The potential stays below the reversal potential of excitation, ``e_exc``; the threshold is ``v_thresh`` + θ.
    """
    top, threshold = (_number(tree, symbol, "mV") for symbol in ("e_exc", "v_thresh"))
    return None if top is None or threshold is None else top - threshold


def class_rates(tree: xr.DataTree) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]] | None:
    """How often each class is answered to its own samples, and to others', and its samples: each ``(class,)``.

    By the run's first readout; None if there is no confusion matrix.
    """
    evaluation = _dataset(tree, results.EVALUATION)
    if evaluation is None or "confusion" not in evaluation:
        return None
    table = evaluation["confusion"].isel(readout=0).values
    answers = table[:, :-1]
    samples, right = table.sum(axis=1), np.diagonal(answers)
    others = samples.sum() - samples
    false = answers.sum(axis=0) - right
    return right / np.maximum(samples, 1), false / np.maximum(others, 1), samples


# -- checks --------------------------------------------------------------------------------------------------
def _silent(tree: xr.DataTree) -> Iterator[Finding]:
    """Neurons that never fire, and samples that make none fire."""
    for population, responses in _tested(tree):
        counts = responses["spike_count"].values
        if len(counts) < FEWEST_SAMPLES:
            continue
        neurons = counts.shape[1]
        quiet = neurons - np.count_nonzero(counts.any(axis=0))
        if quiet > MANY_SILENT * neurons:
            yield Finding(
                "silent neurons",
                f"{quiet:,} of {neurons:,} neurons of '{population}' gave no spike to {len(counts):,} samples tested",
                "Their input never lifts them to their thresholds, or others inhibit them first. They stand for no"
                " class, and the network is smaller than it looks",
                _attempt(tree, raise_=_DRIVES, lower=(*_THRESHOLDS, *_INHIBITIONS)),
            )
        unanswered = int(np.count_nonzero(~counts.any(axis=1)))
        if unanswered > MANY_SILENT * len(counts):
            yield Finding(
                "unanswered samples",
                f"{unanswered:,} of {len(counts):,} samples tested made no neuron of '{population}' fire",
                "These samples are too weak for any neuron, dark images for instance, or show nothing that was learned;"
                " each counts as wrong",
                _attempt(tree, raise_=_DRIVES, lower=_THRESHOLDS),
            )


def _dominating(tree: xr.DataTree) -> Iterator[Finding]:
    """A few neurons that win samples of all classes."""
    evaluation = _dataset(tree, results.EVALUATION)
    if evaluation is None or "neuron_label" not in evaluation:
        return  # neurons that stand for classes: see `_classes`
    labelled = evaluation.sizes["neuron"]
    for population, responses in _tested(tree):
        counts, label = responses["spike_count"].values, responses["label"].values
        if counts.shape[1] != labelled or len(counts) < FEWEST_SAMPLES:
            continue
        wins = won(counts)
        if not wins.sum():
            continue
        part = wins / len(counts)
        first, most = int(part.argmax()), share_won(label)
        by_wins = -np.sort(-wins)
        half = 1 + int(np.searchsorted(by_wins.cumsum(), by_wins.sum() / 2))
        classes = len(np.unique(label))
        if part[first] <= most and (2 * half >= classes or counts.shape[1] < 2 * classes):
            continue
        yield Finding(
            "dominating neurons",
            f"neuron {first} of '{population}' is the most active one for {100 * part[first]:.0f} % of {len(counts):,}"
            f" samples of {classes} classes; {half} of {len(wins):,} neurons win half of them",
            "Whoever fires first learns from every sample, and wins the more: one neuron then answers for several"
            " classes. Thresholds that adapt, weights that are scaled and inhibition that is strong enough are"
            " what keeps neurons equal",
            _attempt(tree, raise_=("theta_plus", *_INHIBITIONS), lower=("a_plus", "eta", "w_t", "w_max")),
        )


def _weights(tree: xr.DataTree) -> Iterator[Finding]:
    """Weights that are at their bounds, or have not moved, of each projection that learns."""
    groups = learning(tree)
    still = [name for name, group in groups.items() if _is_still(group)]
    for name, group in groups.items():
        if name in still:
            yield _still(tree, name, group, [other for other in groups if other not in still])
        else:
            yield from _at_bounds(tree, name, group["w"].isel(samples_seen=-1).values)


def _is_still(group: xr.Dataset) -> bool:
    w, seen = group["w"], group["samples_seen"].values
    return bool(seen[-1] > seen[0] and np.array_equal(w.isel(samples_seen=0).values, w.isel(samples_seen=-1).values))


def _still(tree: xr.DataTree, name: str, group: xr.Dataset, moving: Sequence[str]) -> Finding:
    seen, size = group["samples_seen"].values, group["w"].isel(samples_seen=-1).size
    return Finding(
        "weights that do not move",
        f"the {size:,} weights of {name} are after {seen[-1]:,} samples what they were after {seen[0]:,}"
        + (f"; those of {' and '.join(moving)} move" if moving else ""),
        "Nothing is learned there: no spike that it takes comes, or no error or teacher reaches this layer" if moving
        else "Nothing is learned: no pair of spikes changes a weight, or the rates of learning are zero",
        _attempt(tree, raise_=(*_symbols(tree, name, "a_plus", "a_minus", "eta"), *_DRIVES)),
    )  # fmt: skip


def _at_bounds(tree: xr.DataTree, name: str, last: NDArray[np.floating]) -> Iterator[Finding]:
    known = bounds(tree, name)
    if not known or max(known.values()) <= known["w_min"]:
        return
    (lower_symbol, least), (upper_symbol, most) = known.items()
    near = 1e-3 * (most - least)
    upper, lower = float(np.mean(last >= most - near)), float(np.mean(last <= least + near))
    either = upper + lower > AT_EITHER and upper > AT_EITHER / 10
    if upper > AT_UPPER or lower > AT_LOWER or either:
        raised: tuple[str, ...] = ()
        lowered: tuple[str, ...] = ("a_plus", "a_minus", "eta")
        if upper > AT_UPPER:
            raised, lowered = ("a_minus", "w_max"), ("a_plus", "w_t", "beta")
        elif lower > AT_LOWER:
            raised, lowered = ("a_plus", "w_t", "beta"), ("a_minus",)
        yield Finding(
            "weights at their bounds",
            f"of {last.size:,} weights of {name}, {100 * upper:.0f} % are at {upper_symbol}={most:g} or above and"
            f" {100 * lower:.0f} % at {lower_symbol}={least:g}",
            "A weight at its bound holds one bit, and learns in one direction alone"
            + (": potentiation outweighs depression" if upper > AT_UPPER else "")
            + (": depression outweighs potentiation, and little drive is left" if lower > AT_LOWER else ""),
            _attempt(tree, raise_=_symbols(tree, name, *raised), lower=_symbols(tree, name, *lowered)),
        )


def _thresholds(tree: xr.DataTree) -> Iterator[Finding]:
    """Thresholds that have run away from what drives the neurons."""
    states = results.children(tree, results.STATE)
    for population, node in states.items():
        state = node.to_dataset()
        if "theta" not in state or not state.sizes["samples_seen"]:
            continue
        theta, units = state["theta"].values, state["theta"].attrs["units"]
        last, limit = theta[-1], reach(tree) if units == "mV" else None
        remedy = _attempt(tree, lower=("theta_plus", "tau_theta"), raise_=_INHIBITIONS)
        if limit is not None and (beyond := int(np.count_nonzero(last >= limit))):
            yield Finding(
                "thresholds out of reach",
                f"θ of {beyond:,} of {len(last):,} neurons of '{population}' is {limit:g} mV or more, the largest"
                f" {last.max():.1f} mV: v_thresh + θ is above e_exc",
                "No excitation brings these neurons to fire as long as θ is what it is: each spike has raised it by"
                " more than fell away until the next",
                remedy,
            )
            continue
        if (outrun := _outrun(tree, str(population), last)) is not None:
            yield Finding(
                "thresholds that ran away",
                f"{outrun:,} of {len(last):,} neurons of '{population}' fired in the first half of training, but not in"
                f" its last quarter; their θ is above the median, {np.median(last):.3g} {units}",
                "Their thresholds rose by more than their drive did, and fall too slowly for them to come back",
                remedy,
            )


def _outrun(tree: xr.DataTree, population: str, theta: NDArray[np.float64]) -> int | None:
    """How many neurons with a high θ have fallen silent in the course of training; None if hardly any have."""
    training = _dataset(tree, f"{results.ACTIVITY}/{population}")
    if training is None or len(counts := training["spike_count"].values) < 4 * FEWEST_SAMPLES:
        return None
    if counts.shape[1] != len(theta):
        return None
    began, ends = counts[: len(counts) // 2].any(axis=0), counts[-(len(counts) // 4) :].any(axis=0)
    fallen = int(np.count_nonzero(began & ~ends & (theta > np.median(theta))))
    return fallen if fallen > MANY_SILENT * len(theta) else None


def _fading(tree: xr.DataTree) -> Iterator[Finding]:
    """Activity that goes down to little while the network is trained."""
    groups = results.children(tree, results.ACTIVITY)
    for population, node in groups.items():
        counts = node.to_dataset()["spike_count"].values
        if len(counts) < TENTHS * FEWEST_SAMPLES:
            continue
        spikes = [float(part.sum(axis=1).mean()) for part in np.array_split(counts, TENTHS)]
        if spikes[-1] < FADED * max(spikes):
            yield Finding(
                "activity that fades",
                f"'{population}' gave {max(spikes):.3g} spikes a sample in its most active tenth of training and"
                f" {spikes[-1]:.3g} in the last",
                "What is learned or what adapts takes more and more drive away: rising thresholds, falling weights. A"
                " longer training makes it worse",
                _attempt(tree, lower=("theta_plus", "tau_theta", "a_minus"), raise_=_DRIVES),
            )


def _classes(tree: xr.DataTree) -> Iterator[Finding]:
    """Classes that are recognised no more often than by chance."""
    rates, evaluation = class_rates(tree), _dataset(tree, results.EVALUATION)
    if rates is None or evaluation is None:
        return
    own, others, samples = rates
    names = results.class_names(tree) or tuple(map(str, range(len(own))))
    enough = [c for c in range(len(own)) if samples[c] >= FEWEST_OF_CLASS]
    poor = [c for c in enough if chance.of_at_least(round(own[c] * samples[c]), int(samples[c]), others[c]) > LEVEL]
    if not poor:
        return
    table = evaluation["confusion"].isel(readout=0).values
    label = evaluation["neuron_label"].values if "neuron_label" in evaluation else None
    told = []
    for c in poor[:_NAMED]:
        instead = int(np.where(np.arange(len(own)) == c, -1, table[c, :-1]).argmax())
        told.append(
            f"{names[c]} (right for {100 * own[c]:.0f} % of {samples[c]:,}, answered to {100 * others[c]:.0f} % of the"
            f" others; most often taken for {names[instead]}"
            + ("; no neuron is labelled with it)" if label is not None and not (label == c).any() else ")")
        )
    more = f" and {len(poor) - _NAMED} more" if len(poor) > _NAMED else ""
    every = len(poor) == len(enough)
    yield Finding(
        "classes at chance level",
        f"{'all' if every else len(poor)} of {len(enough)} classes are told from others no better than by chance by"
        f" {evaluation['readout'].values[0]}: {', '.join(told)}{more}",
        "The network has learned nothing that tells classes apart" if every else
        "No neuron prefers these classes: few samples of them were trained on, or their samples look like those of"
        " another class, whose neurons win",
        "Train on more images (--images, --epochs), with more neurons; "
        + _attempt(tree, raise_=("theta_plus", *_INHIBITIONS), lower=("w_t",)),
    )  # fmt: skip


def _inhibition(tree: xr.DataTree) -> Iterator[Finding]:
    """Inhibitory neurons that do not fire, or too late to keep others from firing."""
    groups = results.children(tree, results.RASTER)
    spikes = {str(name): node.to_dataset()["spike_time"].size for name, node in groups.items()}
    shown = 1 + max(
        (int(node.to_dataset()["spike_presentation"].max()) for name, node in groups.items() if spikes[str(name)]),
        default=0,
    )
    remedy = _attempt(tree, raise_=("w_ei", "w_ie"), lower=("v_thresh_fast",))
    for name in spikes:
        if not name.endswith(results.INHIBITORY):
            continue
        drivers = name.removesuffix(results.INHIBITORY) + results.EXCITATORY
        if not spikes[name] and spikes.get(drivers):
            yield Finding(
                "inhibition that never comes",
                f"'{name}' gave no spike in the {shown} presentations recorded, in which '{drivers}' gave"
                f" {spikes[drivers]:,}",
                "A spike of an excitatory neuron does not bring its inhibitory neuron to fire: nobody is held back, and"
                " all neurons learn the same",
                remedy,
            )
            continue
        responses = _dataset(tree, f"{results.TEST}/{drivers}")
        if responses is None or len(responses["label"]) < FEWEST_SAMPLES or not spikes[name]:
            continue
        counts = responses["spike_count"].values
        median = float(np.median(responding(counts)))
        if median > ALL_AT_ONCE * counts.shape[1]:
            yield Finding(
                "inhibition that comes too late",
                f"half of the samples tested make {median:.0f} or more of {counts.shape[1]:,} neurons of '{drivers}'"
                " fire, though inhibitory neurons fire",
                "Many neurons reach their thresholds before the first one's spike holds them back, or inhibition is"
                " too weak to do so: they learn the same",
                _attempt(tree, raise_=("w_ei", "w_ie"), lower=_DRIVES),
            )


_CHECKS: Sequence[Callable[[xr.DataTree], Iterator[Finding]]] = (
    _silent, _dominating, _inhibition, _weights, _thresholds, _fading, _classes,
)  # fmt: skip


# -- what to try ---------------------------------------------------------------------------------------------
# Symbols that several models have.
_DRIVES = ("gain", "total_rate", "max_rate", "rate_step", "intensity_first", "w_t", "beta")
_THRESHOLDS = ("v_thresh", "theta_init", "theta_plus", "theta_p", "theta")
_INHIBITIONS = ("w_ei", "w_ie")


def _symbols(tree: xr.DataTree, projection: str, *symbols: str) -> tuple[str, ...]:
    """Parameters of a projection: above the input those that end in ``_class``, where the model has them."""
    parameters = results.decoded(tree)["parameters"]
    above = not _is_of_input(projection)
    return tuple(f"{one}_class" if above and f"{one}_class" in parameters else one for one in symbols)


def _is_of_input(projection: str) -> bool:
    return projection.startswith(f"{results.INPUT}_to_")


def _attempt(tree: xr.DataTree, raise_: Sequence[str] = (), lower: Sequence[str] = ()) -> str:
    """A sentence about parameters that the run's model has, with their values."""
    parameters = results.decoded(tree)["parameters"]
    parts = []
    for verb, symbols in (("raise", raise_), ("lower", lower)):
        if known := [f"{symbol} (now {parameters[symbol]})" for symbol in symbols if symbol in parameters]:
            parts.append(f"{verb} {' or '.join(filter(None, (', '.join(known[:-1]), known[-1])))}")
    return "; ".join(parts) or f"the parameters of its rule and its inputs: `hebbarium describe {tree.attrs['model']}`"


def _number(tree: xr.DataTree, symbol: str, unit: str = "") -> float | None:
    """A parameter's value in a unit, as results show it; None if there is none in that unit."""
    text = str(results.decoded(tree)["parameters"].get(symbol, ""))
    match = re.fullmatch(r"([-+0-9.e]+)(?:[* ](\w+))?", text)
    if match is None or (match[2] or "") != unit:
        return None
    try:
        return float(match[1])
    except ValueError:
        return None


def _tested(tree: xr.DataTree) -> Iterator[tuple[str, xr.Dataset]]:
    """Populations whose spikes are read, with their responses to the samples tested."""
    groups = results.children(tree, results.TEST)
    for population, node in groups.items():
        responses = node.to_dataset()
        read_otherwise = [n for n in responses.data_vars if n != "spike_count" and responses[n].ndim == 2]
        if responses["spike_count"].values.any() or not read_otherwise:  # potentials are read of neurons without spikes
            yield str(population), responses


def _dataset(tree: xr.DataTree, group: str) -> xr.Dataset | None:
    return tree[group].to_dataset() if f"/{group}" in tree.groups else None
