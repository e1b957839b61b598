"""Maps of activity and of weights by t-SNE, and in numbers how well their classes are separated.

Hao et al., Section 4: "the separability of the output information of the three layers in our model increased from
the input to SL layer" (Fig. 5), and the weights that leave the hidden neurons cluster as the neurons' labels do
(Fig. 6). A map can be misread; the numbers beside it are measured on the map and in the space it was made from.

t-SNE is openTSNE's (Poličar, Stražar & Zupan 2024, J. Stat. Softw. 109), the numbers are scikit-learn's. Both come
with ``pip install -e '.[maps]'``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis.labels import responses_of
from hebbarium.files import libraries
from hebbarium.record import results

PERPLEXITY = 30.0
FEWEST = 10
"""Different points that a map needs."""
NEIGHBOURS = 10
_ANSWERING = (results.CLASSES, "output")  # populations whose neurons stand for the classes
_MEMORY_MB = 128  # of the distances that scikit-learn holds at a time

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Separation:
    """How well classes are separated.

    Attributes
    ----------
    neighbours : float
        Per cent of the points whose nearest neighbours, without the point itself, vote for its class.
    silhouette : float
        Mean silhouette, -1 to 1 (Rousseeuw 1987): how much nearer a point is to its own class than to the next one.
        NaN if there is only one class, or if no two points share one.
    points : int
        Points it was measured on: those that have a class.
    """

    neighbours: float
    silhouette: float
    points: int


@dataclass(frozen=True)
class Map:
    """Points on a plane, with their classes.

    Attributes
    ----------
    place : (point, 2)
        Points whose features are equal stand at the same place.
    label : (point,)
        Class of each point, -1 for none.
    distinct : int
        Points that differ.
    silent : int
        Points whose features are all zero: images that nothing answered.
    before, after : Separation
        In the space of the features, and on the map.
    embedding : openTSNE.TSNEEmbedding
        Of the distinct points; see `added`.
    """

    place: Points
    label: NDArray[np.int64]
    distinct: int
    silent: int
    before: Separation
    after: Separation
    embedding: Any


def make_map(
    features: ArrayLike,
    label: ArrayLike,
    *,
    seed: int = 0,
    perplexity: float | None = None,
    iterations: int = 500,
) -> Map:
    """Lay points out on a plane so that neighbours stay neighbours (t-SNE).

    The layout starts from the first two principal components and depends on nothing but the arguments. Equal points
    are laid out once: the answers of a few neurons to many images often are, and a clump of copies has no inner
    structure to show.

    Parameters
    ----------
    features : (point, feature)
        Finite numbers; distances are Euclidean.
    label : (point,)
        Class of each point, -1 for none.
    perplexity
        Roughly the number of neighbours that count; `PERPLEXITY`, or less where there are too few points for it.
    iterations
        Steps after the first 250, in which clusters form (early exaggeration).

    Raises
    ------
    ValueError
        If there are too few different points, for any map or for the perplexity asked for; if there are fewer than
        two features; or if shapes do not fit or a feature is not finite.
    LibraryMissing
        Without openTSNE or scikit-learn.
    """
    values, classes = _checked(features, label)
    distinct, back = np.unique(values, axis=0, return_inverse=True)
    most = (len(distinct) - 1) / 3
    if values.shape[1] < 2:
        raise ValueError(f"A map needs two features at least; points have {values.shape[1]}.")
    if len(distinct) < FEWEST:
        raise ValueError(
            f"A map needs {FEWEST} different points at least; {len(distinct)} of {len(values)} are different."
        )
    if perplexity is not None and not 1 <= perplexity <= most:
        raise ValueError(
            f"perplexity {perplexity:g}: expected 1 to {most:.0f} with {len(distinct)} different points; "
            "ask for less, or for more points."
        )
    embedding = _needed("openTSNE").TSNE(
        perplexity=min(PERPLEXITY, most) if perplexity is None else perplexity,
        initialization="pca",
        n_iter=iterations,
        n_jobs=1,  # the order of sums is part of the result
        random_state=seed,
    ).fit(distinct)
    # Where openTSNE moves it, in place, before it adds points: now, so that `added` finds the map as it was drawn.
    embedding -= (np.max(embedding, axis=0) + np.min(embedding, axis=0)) / 2
    place = np.asarray(embedding, dtype=np.float64)[back.ravel()]
    return Map(
        place=place,
        label=classes,
        distinct=len(distinct),
        silent=int(np.count_nonzero(~values.any(axis=1))),
        before=separation(values, classes),
        after=separation(place, classes),
        embedding=embedding,
    )


def added(old: Map, features: ArrayLike, *, iterations: int = 250) -> Points:
    """Places of new points on an old map, which stays as it is.

    Parameters
    ----------
    features : (point, feature)
        As many features as the map was made from. Where a point goes does not depend on the other new ones.

    Returns
    -------
    (point, 2)
    """
    values = np.asarray(features, dtype=np.float64)
    expected = old.embedding.affinities.knn_index.data.shape[1]
    if values.ndim != 2 or values.shape[1] != expected or not np.isfinite(values).all():
        raise ValueError(
            f"features have shape {values.shape}; expected (point, {expected}) of finite numbers, as the map was "
            "made from."
        )
    if not len(values):
        return np.zeros((0, 2))
    distinct, back = np.unique(values, axis=0, return_inverse=True)
    # openTSNE asks for more neighbours than it uses: three times the perplexity.
    perplexity = min(5.0, old.distinct / 3)
    placed = old.embedding.transform(distinct, perplexity=perplexity, n_iter=iterations)
    return np.asarray(placed, dtype=np.float64)[back.ravel()]


def separation(features: ArrayLike, label: ArrayLike, neighbours: int = NEIGHBOURS) -> Separation:
    """How well classes are separated, in per cent of neighbours' votes and as a silhouette.

    Distances are worked out a part at a time: memory grows with the number of points and not with its square.

    Parameters
    ----------
    features : (point, feature)
    label : (point,)
        Points with class -1 are left out.
    neighbours
        How many vote; fewer if there are not so many. The lowest class wins among equals.

    Raises
    ------
    ValueError
        If fewer than two points have a class, or shapes do not fit.
    """
    values, classes = _checked(features, label)
    values, classes = values[classes >= 0], classes[classes >= 0]
    if len(classes) < 2:
        raise ValueError(f"{len(classes)} points have a class; expected two at least.")
    if neighbours < 1:
        raise ValueError(f"neighbours {neighbours}: expected 1 or more.")
    sklearn = _needed("sklearn")
    _, number = np.unique(classes, return_inverse=True)
    with sklearn.config_context(working_memory=_MEMORY_MB):
        finder = _needed("sklearn.neighbors").NearestNeighbors(
            n_neighbors=min(neighbours, len(classes) - 1), algorithm="brute"
        )
        near = finder.fit(values).kneighbors(return_distance=False)  # without the point itself
        votes = np.zeros((len(classes), number.max() + 1), dtype=np.int64)
        np.add.at(votes, (np.arange(len(classes))[:, None], number[near]), 1)
        right = 100 * np.mean(votes.argmax(axis=1) == number)
        silhouette = math.nan
        if 1 < votes.shape[1] < len(classes):
            silhouette = _needed("sklearn.metrics").silhouette_score(values, number)
    return Separation(float(right), float(silhouette), len(classes))


def activity_maps(
    tree: xr.DataTree, images: ArrayLike | None = None, *, seed: int = 0, perplexity: float | None = None
) -> dict[str, Map]:
    """Maps of the test images and of what each layer makes of them (Fig. 5).

    Parameters
    ----------
    tree
        A run's result tree, with ``test``.
    images : (sample, pixel), optional
        The test images in the order of the responses, whose ``image`` says which these are.

    Returns
    -------
    dict
        ``input`` if there are images, and each population whose spikes were counted: hidden ones first, ``classes`` or
        ``output`` last. One that never spikes, since it is read by its potentials, is left out.

    Raises
    ------
    KeyError
        No spikes were counted in the test.
    ValueError
        There is another number of images, or `make_map` refuses a layer.
    """
    counted: dict[str, NDArray[Any]] = {
        name: node.to_dataset()["spike_count"].values
        for name, node in results.children(tree, results.TEST).items()
        if "spike_count" in node
    }
    spiking = {name for name, of in counted.items() if of.any()} or set(counted)
    layers = sorted(spiking, key=lambda name: (name in _ANSWERING, name))
    labels = responses_of(tree, results.TEST, layers[0] if layers else results.EXCITATORY)["label"].values
    features: dict[str, NDArray[Any]] = {}
    if images is not None:
        features[results.INPUT] = np.asarray(images)
        if len(features[results.INPUT]) != len(labels):
            raise ValueError(f"{len(features[results.INPUT])} images for {len(labels)} responses in test/{layers[0]}.")
    features |= {name: counted[name] for name in layers}
    made = {}
    for name, values in features.items():
        try:
            made[name] = make_map(values, labels, seed=seed, perplexity=perplexity)
        except ValueError as error:
            raise type(error)(f"{name}: {error}") from error
    return made


def weight_map(
    tree: xr.DataTree, projection: str | None = None, *, seed: int = 0, perplexity: float | None = None
) -> Map:
    """Map of the hidden neurons by their weights, labelled by label statistics (Fig. 6).

    Parameters
    ----------
    tree
        A run's result tree, with ``weights`` and ``evaluation/neuron_label``.
    projection
        Whose last snapshot is taken: ``excitatory_to_classes`` gives the weights that leave a neuron, and
        ``input_to_excitatory`` those that reach it. By default the first of these that the run has.

    Raises
    ------
    KeyError
        If the run has no such weights.
    """
    projections = [group.rsplit("/", 1)[1] for group in tree.groups if group.startswith(f"/{results.WEIGHTS}/")]
    known = [name for name in (results.EXCITATORY_TO_CLASSES, results.INPUT_TO_EXCITATORY) if name in projections]
    chosen = projection or (known[0] if known else results.EXCITATORY_TO_CLASSES)
    if chosen not in known:
        has = ", ".join(projections) or "none"
        raise KeyError(f"The run has no weights of hidden neurons in {chosen}; it has {has}.")
    w = results.array(tree, f"{results.WEIGHTS}/{chosen}/w")[-1]
    labels = results.array(tree, f"{results.EVALUATION}/neuron_label")
    by_neuron = w if chosen == results.EXCITATORY_TO_CLASSES else w.T
    try:
        return make_map(by_neuron, labels, seed=seed, perplexity=perplexity)
    except ValueError as error:
        raise type(error)(f"{chosen}: {error}") from error


def _checked(features: ArrayLike, label: ArrayLike) -> tuple[Points, NDArray[np.int64]]:
    values, classes = np.asarray(features, dtype=np.float64), np.asarray(label)
    if values.ndim != 2 or classes.shape != values.shape[:1]:
        raise ValueError(
            f"features have shape {values.shape} and label {classes.shape}; expected (point, feature) and (point,)."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(values))} features are not finite numbers.")
    return values, classes.astype(np.int64)


def _needed(module: str) -> Any:
    return libraries.needed(module, "maps", "A map")
