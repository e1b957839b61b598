"""What a run begins with, kept so that no two experiments are mixed in it: settings, data, model and engine.

``pins.json`` is written before the run's ``configuration.json``, which names its digest: whoever edits one of them is
found out. ``places.json`` says where files are that were moved since; ``source/`` holds a copy of a model of one's own.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hebbarium.catalogue import own_models, papers
from hebbarium.catalogue.own_models import Recorded
from hebbarium.datasets import draws, own_files
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import cache, compiler, devices, run_folder, sources
from hebbarium.files import plain_files, whole_files
from hebbarium.files.errors import RunFolderError, in_one_line
from hebbarium.ledger import commits
from hebbarium.models.contract import Model
from hebbarium.training import provenance
from hebbarium.training.run_settings import Role, RunSettings, of_role

FILE, PLACES, SOURCE = run_folder.PINS, "places.json", run_folder.SOURCE
_FREE = of_role(Role.FREE)

UNPINNED = "{run}: its data, model and settings were not kept when it began; whether they are as they were is not known"

Pins = dict[str, Any]


# -- when a run begins ---------------------------------------------------------------------------------------
def located(settings: RunSettings, model: Model | None = None) -> RunSettings:
    """The same settings with whole paths, so that a run is found again from another folder.

    Parameters
    ----------
    settings : RunSettings
    model : Model, optional
        What they say: files among its parameters are located as well.
    """
    places: dict[str, Any] = {}
    if model is not None and (files := _files(model)):
        named_here = {symbol: _whole(str(file)) for symbol, file in files.items() if symbol in settings.changes}
        places["changes"] = {**settings.changes, **named_here}
    if own_files.place(settings.dataset) is not None:
        places["dataset"] = own_files.located(settings.dataset)
    if own_models.file_in(named := papers.located(settings.model)):
        file, *kind = named.partition(":")
        whole = "".join([_whole(file), *kind])
        before = settings.model
        places["model"] = Recorded.of(whole, before.run, before.files) if isinstance(before, Recorded) else whole
    others = ("data", "warm_start", "weights_from")
    places |= {name: _whole(place) for name in others if (place := getattr(settings, name)) is not None}
    return dataclasses.replace(settings, **places)


def take(
    configuration: Mapping[str, Any], model: Model, images: Dataset, warm_start: Mapping[str, Any] | None = None,
    weights: Mapping[str, NDArray[Any]] | None = None,
) -> dict[str, bytes]:
    """The files to be kept in a new run's folder beside its configuration, by name.

    Parameters
    ----------
    warm_start : mapping, optional
        From `of_state`, of the state that the run begins with.
    weights : mapping, optional
        State that a user's file gives.
    """
    kept: dict[str, bytes] = {}
    file, own = own_models.file_in(configuration["model"]), None
    if file:
        own = own_models.read(file)
        kept |= {f"{SOURCE}/{path}": content for path, content in own.contents.items()}
    pinned: Pins = {
        "configuration": dict(configuration),
        "data": {"name": images.name, "sha256": images.sha256},
        "model": {"own": own.digests if own else None, "network": _network(model), "files": _contents(model)},
        "engine": _engine(),
        "versions": _versions(),
        "computer": _computer(configuration["device"]),
        "warm_start": warm_start,
        "weights_from": None if weights is None else _state_digest(weights),
    }
    return {FILE: (json.dumps(pinned, indent=1) + "\n").encode(), **kept}


def of_state(state: Mapping[str, NDArray[Any]], pinned: Pins | None) -> dict[str, Any]:
    """What is kept of the trained state of another run, and of what that began with."""
    return {"state": _state_digest(state), "pins": pinned}


def _state_digest(state: Mapping[str, NDArray[Any]]) -> str:
    whole = {f"{name} {array.dtype.str} {array.shape}": array.tobytes() for name, array in state.items()}
    return sources.digest(whole)


# -- when it is opened again ---------------------------------------------------------------------------------
def read(run: Path) -> Pins | None:
    """What a run began with; None if it was begun when nothing was kept.

    Raises
    ------
    RunFolderError
        Its settings were edited, or what was kept of them is damaged.
    """
    stored = run_folder.configuration(run)
    if "pins" not in stored:
        if (run / FILE).exists():
            raise RunFolderError(
                f"{run / run_folder.CONFIGURATION}: was edited since the run began: what it says of {FILE} is gone. Put"
                " it back, or train anew into another folder"
            )
        return None
    try:
        text = plain_files.read(run / FILE)
    except OSError as error:
        raise RunFolderError(f"{run / FILE}: cannot be read ({error.strerror}); put it back, or train anew") from error
    if digest(text) != stored["pins"]:
        raise RunFolderError(f"{run / FILE}: is not as it was when the run began; put it back, or train anew")
    pinned: Pins = json.loads(text)
    began = pinned["configuration"]
    names = [name for name in {**began, **stored} if name not in ("pins", *_FREE)]
    differing = dict.fromkeys(name for name in names if began.get(name) != stored.get(name))
    edited = [f"{name} was {began.get(name)!r} and is {stored.get(name)!r}" for name in differing]
    if edited:
        raise RunFolderError(
            f"{run / run_folder.CONFIGURATION}: was edited since the run began: {'; '.join(edited)}. Put it back, or"
            " train anew into another folder with the settings that you want"
        )
    return pinned


def digest(text: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(text).hexdigest()


def recorded(run: Path, name: str, pinned: Pins | None) -> str:
    """A model's name as it stands in a run's configuration, so that a file does not run unasked."""
    if own_models.file_in(name) is None:
        return name
    return Recorded.of(name, run, pinned["model"]["own"] if pinned else None)


def places(run: Path) -> dict[str, str]:
    """Settings by name that say where files of a run are now."""
    try:
        return {name: str(place) for name, place in json.loads(plain_files.read(run / PLACES)).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise RunFolderError(f"{run / PLACES}: cannot be read ({error}); remove it") from error


def refuse_model(run: Path, pinned: Pins | None, model: Model) -> None:
    """Raise `RunFolderError` if a run's model is written otherwise than when it began."""
    if pinned is None:
        return
    _refuse(run, pinned, "the model", pinned["model"]["network"], _network(model))
    began, here = pinned["model"].get("files", {}), _contents(model)
    if changed := [symbol for symbol in sorted({*began, *here}) if began.get(symbol) != here.get(symbol)]:
        files = ", ".join(f"{symbol}={getattr(model, symbol)}" for symbol in changed)
        raise RunFolderError(f"{run}: {files} is not the file that the run began with; put it back, or train anew")


def refuse_engine(run: Path, pinned: Pins | None) -> list[str]:
    """Raise `RunFolderError` if a run would go on with another engine; returns what else differs, in words."""
    if pinned is None:
        return [UNPINNED.format(run=run)]
    _refuse(run, pinned, "the engine", pinned["engine"], _engine())
    began, here = pinned["versions"], _versions()
    if began.get("brian2") != here.get("brian2"):
        _refuse(run, pinned, "Brian2", {"brian2": began.get("brian2")}, {"brian2": here.get("brian2")})
    computer = _computer(pinned["configuration"]["device"])
    others = {**began, **pinned["computer"]}
    differing = {name: now for name, now in {**here, **computer}.items() if others.get(name) != now}
    return [
        f"{run}: goes on with {name} {now}, began with {in_one_line(str(others.get(name)))}: bits may differ from those"
        " of one go"
        for name, now in differing.items()
    ]


def refuse_data(run: Path, pinned: Pins | None, images: Dataset) -> None:
    """Raise `RunFolderError` if a run's images are others than those that it began with."""
    if pinned is not None and pinned["data"]["sha256"] != images.sha256:
        raise RunFolderError(
            f"{run}: its images, {images.name}, are not those that it began with (SHA-256 was"
            f" {pinned['data']['sha256']}, is {images.sha256}). Put them back, or name where they are by `hebbarium"
            f" resume {run}` with --dataset or --data, or train anew"
        )


def refuse_state(run: Path, pinned: Pins | None, warm_start: Mapping[str, Any]) -> None:
    """Raise `RunFolderError` if the state that a run begins with is not what it was when it was asked for."""
    if pinned is not None and pinned["warm_start"]["state"] != warm_start["state"]:
        raise RunFolderError(
            f"{run}: {pinned['configuration']['warm_start']}, with whose state it was to begin, was trained further or"
            " changed since; train anew"
        )


def refuse_weights(run: Path, pinned: Pins | None, weights: Mapping[str, NDArray[Any]]) -> None:
    """Raise `RunFolderError` if the weights that a run begins with are not what they were when it was asked for."""
    if pinned is not None and pinned["weights_from"] != _state_digest(weights):
        raise RunFolderError(
            f"{run}: {pinned['configuration']['weights_from']}, with whose weights it was to begin, holds others now;"
            " put it back, or train anew"
        )


def note_places(run: Path, moved: Mapping[str, str]) -> None:
    """Keep where files of a run are now."""
    whole_files.write(run / PLACES, json.dumps({**places(run), **moved}, indent=1) + "\n")


def _refuse(run: Path, pinned: Pins, what: str, began: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    changed = [name for name in sorted({*began, *here}) if began.get(name) != here.get(name)]
    if not changed:
        return
    code = pinned["configuration"]["code"]
    version = " ".join(filter(None, [pinned["versions"]["hebbarium"], commits.named(**code)]))
    differences = [f"{name} (was {str(began.get(name))[:12]}, is {str(here.get(name))[:12]})" for name in changed]
    raise RunFolderError(
        f"{run}: {what} is not what the run began with: {', '.join(differences)}. Go on with the version of the project"
        f" that began it ({version or 'not known'}), or train anew into another folder"
    )


# -- what is pinned ------------------------------------------------------------------------------------------
def _files(model: Model) -> dict[str, Path]:
    """Files of a user's own among a model's parameters, by symbol; what comes with the project is the model's."""
    rows = model.parameters().items()
    named = {symbol: str(getattr(model, symbol)) for symbol, row in rows if row.kind == "file"}
    files = {symbol: Path(name).expanduser() for symbol, name in named.items()}
    return {symbol: file for symbol, file in files.items() if file.suffix and file.is_file()}


def _contents(model: Model) -> dict[str, str]:
    return {symbol: digest(plain_files.read(file)) for symbol, file in _files(model).items()}


def _network(model: Model) -> dict[str, str]:
    """Digest of each of our modules that a model is written in, comments and descriptions left out."""
    ours = Model.__module__.rpartition(".")[0]
    packages = (ours, f"{ours.removesuffix('models')}equations")

    def is_ours(name: str) -> bool:
        return any(name == package or name.startswith(f"{package}.") for package in packages)

    files = sources.closure(
        [cls.__module__ for cls in type(model).__mro__],
        lambda name, file: is_ours(name) or name.startswith(own_models.PREFIX),
    )
    return {name: _meaning(sources.content(name, file)) for name, file in files.items() if is_ours(name)}


@functools.cache
def _meaning(source: bytes) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                line
                for line in body
                if not isinstance(line, ast.Expr) or not isinstance(line.value, ast.Constant)
            ]
    return sources.digest({"": ast.unparse(tree).encode()})


@functools.cache
def _engine() -> dict[str, str]:
    """Digests of what makes programs and feeds them, and of what draws and orders images."""
    files = {**devices.shaping(), "draws.py": Path(draws.__file__).read_bytes()}
    return {
        name: _meaning(content) if name.endswith(".py") else sources.digest({"": content})
        for name, content in files.items()
    }


def _versions() -> dict[str, str]:
    return {**sources.versions(), "hebbarium": provenance.version()}


def _computer(device: str) -> dict[str, str]:
    facts = {"Python": platform.python_version()}
    if device in devices.COMPILED:
        facts |= {"compiler": str(compiler.chosen()), "processor": cache.processor()}
    return facts


def _whole(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))
