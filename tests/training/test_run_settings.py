"""The table of a run's settings: what options, checks, records and documentation take from it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from brian2 import ms
from typer.main import get_command

from hebbarium.analysis import labels
from hebbarium.catalogue import registry
from hebbarium.commands import commandline, options
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import devices
from hebbarium.studies import reproduction
from hebbarium.training import pins
from hebbarium.training.run_settings import Role, RunSettings, Setting, of_role

TABLE = RunSettings.table()
OPTIONS = {name: row for name, row in TABLE.items() if row.option}


def help_of(command: Any, option: Any) -> str:
    """What a command's help says of an option."""
    return " ".join(option.get_help_record(command.context_class(command)))


def test_every_setting_is_a_row_and_its_default_is_within_its_limits() -> None:
    assert list(TABLE) == [field.name for field in dataclasses.fields(RunSettings)]
    for name, row in TABLE.items():
        assert row.meaning
        row.refuse(getattr(RunSettings(), name))


def test_defaults_are_those_of_the_rooms_they_name() -> None:
    usual = RunSettings()
    assert (usual.dataset, usual.device) == (datasets.DEFAULT, devices.DEFAULT)
    assert TABLE["device"].choices == devices.NAMES
    assert TABLE["labels_from"].choices == labels.SOURCES


def test_labels_come_from_where_the_model_has_them_unless_it_is_said(tmp_path: Path) -> None:
    for name, kind in registry.models().items():
        assert RunSettings(name).labels_from == kind.labels_from
        assert options.run_settings(name, {}).labels_from == kind.labels_from
        assert RunSettings(name, labels_from="all").labels_from == "all"
        assert "--labels-from" not in reproduction.command_of(RunSettings(name))
    (tmp_path / "mine.py").write_text(
        "from hebbarium.models.synaptic_scaling import SynapticScaling\n"
        "class Mine(SynapticScaling):\n    name, labels_from = 'mine', 'last_pass'\n"
    )
    assert RunSettings(str(tmp_path / "mine.py")).labels_from == "last_pass"
    with pytest.raises(ValueError, match="labels_from=none: expected one of all, second_half"):
        RunSettings(labels_from="none")


@pytest.mark.parametrize("row", OPTIONS.values(), ids=list(OPTIONS))
def test_every_setting_is_an_option_of_train_with_its_meaning(row: Setting) -> None:
    train = get_command(commandline.app).commands["train"]  # type: ignore[attr-defined]
    (option,) = [option for option in train.params if row.option in option.opts]
    assert option.help == row.meaning
    if row.metavar:
        assert option.metavar == row.metavar
    if row.kind is int and not row.none:
        assert f"x>={row.least}]" in help_of(train, option)


def test_every_option_called_as_a_setting_has_its_limits() -> None:
    """Commands may say otherwise what it means to them, but not which values it has."""
    bounded = {row.option: row.least for row in OPTIONS.values() if row.kind is int and not row.none}
    several = 0
    for command in get_command(commandline.app).commands.values():  # type: ignore[attr-defined]
        for option in command.params:
            if option.opts[0] in bounded and not option.multiple and "int" in help_of(command, option):
                several += 1
                assert f"x>={bounded[option.opts[0]]}]" in help_of(command, option), command.name
    assert several > 2 * len(bounded)


def test_every_setting_is_documented() -> None:
    documentation = str(RunSettings.__doc__)
    for row in TABLE.values():
        assert f"\n{row.name} : " in documentation
        assert row.meaning.replace("`", "``") in documentation


def test_only_what_is_free_may_be_edited() -> None:
    assert of_role(Role.FREE) == ("jobs",)
    assert pins._FREE == ("jobs",)
    assert sorted(name for role in Role for name in of_role(role)) == sorted(TABLE)


def test_a_record_reads_back_to_the_same_settings() -> None:
    changes = {"neurons": 40, "tau_p": (0.1 + 0.2) * ms, "norm": "L1", "adaptive_threshold": False, "w_t": 1 / 3}
    settings = RunSettings(changes=changes, seed=3, labelling_images=None)
    again = RunSettings(**json.loads(json.dumps(settings.record())))
    assert again == settings
    assert float(again.changes["tau_p"]) == float(changes["tau_p"])
    assert RunSettings(changes={"tau_p": "20 ms"}) == RunSettings(changes={"tau_p": 20 * ms})


def test_a_users_model_is_not_run_to_read_its_parameters() -> None:
    settings = RunSettings(model="nowhere.py", changes={"mu": "0.5"})
    assert settings.changes == settings.record()["changes"] == {"mu": "0.5"}
