"""The commands: what they say, what they make, and how they refuse."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.commands import commandline, running
from hebbarium.datasets import by_name as datasets
from hebbarium.record import results
from hebbarium.training import estimates, training
from hebbarium.training.preparation import Prepared
from hebbarium.training.run import Run
from tests.small_run import SMALL

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

COMMANDS = ["models", "describe", "train", "evaluate", "predict", "resume", "sweep", "reproduce", "figures",
            "data", "cache", "devices", "demo", "maps", "robustness", "hebbian-control", "encode",
            "convergence", "diagnose", "weights"]  # fmt: skip


def hebbarium(*words: object) -> Result:
    return CliRunner().invoke(commandline.app, [str(word) for word in words])


def refused(*words: object) -> str:
    """What a command that fails says: one line on standard error."""
    result = hebbarium(*words)
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("hebbarium: ")
    assert "Traceback" not in result.output
    return lines[0]


# -- looking -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = hebbarium(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from hebbarium.commands import commandline;"
        "assert CliRunner().invoke(commandline.app, ['train', '--help']).exit_code == 0;"
        "slow = {'brian2', 'numpy', 'xarray', 'matplotlib'} & set(sys.modules); assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_models_are_listed() -> None:
    assert "synaptic_scaling\n" in hebbarium("models").stdout


def test_devices_are_listed() -> None:
    assert {line.split()[0] for line in hebbarium("devices").stdout.splitlines()} >= {
        "cpp",
        "cython",
        "numpy",
        "cuda",
    }


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_a_model_is_described(form: str) -> None:
    result = hebbarium("describe", "synaptic_scaling", "--format", form, "--set", "w_t=7")
    assert result.exit_code == 0
    assert "Table II" in result.stdout


def test_data_are_listed_and_checked(tmp_path: Path) -> None:
    listed = hebbarium("data")
    assert listed.exit_code == 0
    assert "mnist-embedded" in listed.stdout
    assert hebbarium("data", "list").stdout == listed.stdout
    assert hebbarium("data", "check").exit_code == 0
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"nothing")
    for name in ("train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / name).write_bytes(b"nothing")
    broken = hebbarium("data", "check", "--data", tmp_path)
    assert broken.exit_code == 1
    assert "damaged" in broken.stdout


def test_cache_is_listed_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEBBARIUM_CACHE", str(tmp_path))
    assert "0 programs" in hebbarium("cache").stdout
    assert hebbarium("cache", "clear").stdout == "0 programs deleted\n"


# -- refusing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["describe", "synaptic_scalin"], "did you mean synaptic_scaling"),
        (["describe", "synaptic_scaling", "--format", "rtf"], "expected one of text, markdown, latex"),
        (["describe", "synaptic_scaling", "--phase", "sleep"], "expected one of train"),
        (["describe", "nowhere.py"], "no such file"),
        (["train", "synaptic_scaling", "--set", "tau_q=20*ms"], "did you mean"),
        (["train", "synaptic_scaling", "--set", "tau_p=20*mV"], "expected a value in ms"),
        (["train", "synaptic_scaling", "--set", "norm=L3"], "expected one of L1, L2, Lp, none"),
        (["train", "synaptic_scaling", "--device", "abacus"], "expected one of dense, cpp"),
        (["train", "synaptic_scaling", "--precision", "float16"], "expected one of float32, float64"),
        (["train", "synaptic_scaling", "--dataset", "mnits"], "did you mean 'mnist'"),
        (["train", "synaptic_scaling", "--images", "7000"], "6,000"),
        (["train", "synaptic_scaling", "--neurons", "3", "--set", "neurons=4"], "keep one of them"),
        (["train", "synaptic_scaling", "--labelling-images", "some"], "a number of images, or all"),
        (["train", "synaptic_scaling", "--from", "nowhere"], "nowhere: is not a run folder"),
        (["resume", "nowhere"], "nowhere: is not a run folder"),
        (["evaluate", "nowhere"], "nowhere: is not a run folder"),
        (["figures", "nowhere"], "nowhere"),
        (["predict", "nowhere", "nothing.npz"], "nothing.npz: no such file"),
        (["data", "fetch", "mnits"], "did you mean 'mnist'"),
        (["sweep", "synaptic_scaling", "--set", "w_t=3,3.0", "--out", "x"], "a value is given twice"),
        (["sweep", "desire_backprop", "--layers", "20,10", "--set", "layers=20", "--out", "x"], "keep one of them"),
        (["sweep", "synaptic_scaling", "--layers", "20,10", "--set", "w_t=3", "--out", "x"], "no such parameter"),
        (["sweep", "synaptic_scaling", "--set", "w_t=3,x", "--out", "x"], "'x' is no unit"),
        (["sweep", "synaptic_scaling", "--set", "w_t=3", "--seeds", "2-0", "--out", "x"], "2-0: expected"),
        (["reproduce", "nothing"], "model 'nothing' is not known"),
        (["reproduce", "synaptic_scaling", "--table", "IX"], "expected one of III, IV, V, VI"),
        (["reproduce", "synaptic_scaling", "--table", "IV", "--cells", "w_t=60"], "no cell of table IV"),
        (["reproduce", "synaptic_scaling", "--neurons", "50"], "no cell of table"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_clear_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in refused(*words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["train"], ["train", "synaptic_scaling", "--neurons", "0"], ["nonsense"]])
def test_wrong_usage_has_an_exit_code_of_its_own(words: list[str]) -> None:
    assert hebbarium(*words).exit_code == 2


def test_the_variable_shows_where_an_error_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(commandline.DEBUG, "1")
    result = hebbarium("describe", "nothing")
    assert isinstance(result.exception, ValueError)


def test_an_error_nobody_thought_of_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("hebbarium.catalogue.registry.models", fail)
    assert "ZeroDivisionError: division by zero (unexpected; HEBBARIUM_DEBUG=1" in refused("models")


def test_a_stop_has_the_exit_code_of_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    from hebbarium.files.errors import Stopped

    def stop() -> None:
        raise Stopped("stopped by a signal")

    monkeypatch.setattr("hebbarium.catalogue.registry.models", stop)
    assert hebbarium("models").exit_code == 130


def test_a_run_without_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    text = refused("train", "synaptic_scaling", "--out", tmp_path / "run")
    assert "only 1 MB are free" in text
    assert not (tmp_path / "run").exists()


# -- running -------------------------------------------------------------------------------------------------


def test_training_says_what_came_of_it(trained: tuple[Path, Result]) -> None:
    run, result = trained
    assert result.exit_code == 0, result.output
    assert "accuracy on 30 test images of mnist-embedded" in result.stdout
    assert "most active" in result.stdout
    assert "class mean" in result.stdout
    assert f"results: {run / 'results.nc'}" in result.stdout
    for line in result.stdout.splitlines():
        if line.startswith("figure: "):
            assert Path(line.removeprefix("figure: ")).stat().st_size > 1000
    assert "running accuracy" in result.stderr
    assert "images/s" in result.stderr


def test_settings_reach_the_run(trained: tuple[Path, Result]) -> None:
    with results.open_run(trained[0]) as tree:
        shown = results.decoded(tree)
    assert shown["parameters"]["tau_p"] == "20*ms"
    assert shown["parameters"]["w_t"] == "5"
    assert shown["parameters"]["neurons"] == "20"
    assert shown["samples_seen"] == 60
    assert shown["complete"]


def test_a_run_is_never_overwritten(trained: tuple[Path, Result]) -> None:
    before = (trained[0] / "results.nc").read_bytes()
    assert "exists already" in refused("train", "synaptic_scaling", "--neurons", "20", "--out", trained[0])
    assert (trained[0] / "results.nc").read_bytes() == before


def test_a_complete_run_is_not_resumed(trained: tuple[Path, Result]) -> None:
    result = hebbarium("resume", trained[0], "--no-figures")
    assert result.exit_code == 0
    assert "complete already" in result.stderr


def test_testing_again_gives_the_same_accuracy(trained: tuple[Path, Result]) -> None:
    again = hebbarium("evaluate", trained[0], "--test-images", "30")
    assert again.exit_code == 0, again.output
    accuracies = [line for line in again.stdout.splitlines() if line.startswith("  ")]
    assert accuracies
    for line in accuracies:
        assert line.rstrip() in trained[1].stdout


def test_testing_on_another_set(trained: tuple[Path, Result]) -> None:
    other = hebbarium("evaluate", trained[0], "--dataset", "fashion-mnist-embedded", "--test-images", "20")
    assert other.exit_code == 0, other.output
    assert "accuracy on 20 images of fashion-mnist-embedded" in other.stdout


def test_a_run_is_diagnosed(trained: tuple[Path, Result]) -> None:
    """After sixty images there is something to be found, and it is said with the run's own parameters."""
    result = hebbarium("diagnose", trained[0])
    assert result.exit_code == 0, result.output
    assert f"{trained[0]}: synaptic_scaling, 60 samples seen" in result.stdout
    assert result.stdout.count("  seen") == result.stdout.count("  try") > 0
    assert (trained[0] / "figures" / "diagnosis.png").stat().st_size > 1000
    assert "nowhere" in refused("diagnose", "nowhere")


def test_figures_are_drawn_again(trained: tuple[Path, Result]) -> None:
    result = hebbarium("figures", trained[0], "--format", "svg")
    assert result.exit_code == 0, result.output
    assert (trained[0] / "figures" / "receptive_fields.svg").stat().st_size > 1000


def test_images_of_ones_own_are_labelled(trained: tuple[Path, Result], tmp_path: Path) -> None:
    digits = datasets.load()
    dark = np.zeros((1, 784), np.uint8)
    images = np.concatenate([digits.test_images[:5], dark])
    np.savez_compressed(tmp_path / "mine.npz", images=images.reshape(-1, 28, 28))
    printed = hebbarium("predict", trained[0], tmp_path / "mine.npz")
    assert printed.exit_code == 0, printed.output
    lines = printed.stdout.splitlines()
    assert lines[0] == "image,class,name,spikes"
    assert lines[6] == "5,,,0"
    assert {line.split(",")[1] for line in lines[1:6]} <= set("0123456789")
    out = tmp_path / "deep" / "labels.csv"
    assert hebbarium("predict", trained[0], tmp_path / "mine.npz", "--out", out).exit_code == 0
    assert out.read_text() == printed.stdout
    labels = np.append(digits.test_labels[:5], 0)
    np.savez_compressed(tmp_path / "mine.npz", images=images, labels=labels)
    known = hebbarium("predict", trained[0], tmp_path / "mine.npz", "--readout", "class_mean")
    assert "% of the images that have a label" in known.stderr


def test_prediction_needs_no_right_to_write(trained: tuple[Path, Result], tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained[0].rglob("*")}
    np.savez_compressed(tmp_path / "mine.npz", images=np.zeros((1, 784), np.uint8))
    assert hebbarium("predict", trained[0], tmp_path / "mine.npz").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in trained[0].rglob("*")} == before


def test_testing_needs_no_right_to_write(trained: tuple[Path, Result], tmp_path: Path) -> None:
    """A folder that cannot be written, or where the lock is a link to a file that can."""
    run = Path(shutil.copytree(trained[0], tmp_path / "run"))
    (tmp_path / "victim").write_text("precious")
    (run / "lock").unlink()
    (run / "lock").symlink_to(tmp_path / "victim")
    run.chmod(0o555)
    before = {path: path.stat().st_mtime_ns for path in (run, *run.rglob("*"))}
    tested = hebbarium("evaluate", run)
    run.chmod(0o755)
    assert tested.exit_code == 0, tested.stderr
    assert {path: path.stat().st_mtime_ns for path in (run, *run.rglob("*"))} == before
    assert (tmp_path / "victim").read_text() == "precious"


def test_figures_are_not_drawn_through_links(trained: tuple[Path, Result], tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained[0], tmp_path / "run"))
    victim = tmp_path / "victim.png"
    victim.write_text("precious")
    drawn = run / "figures" / "receptive_fields.png"
    drawn.unlink(missing_ok=True)
    drawn.parent.mkdir(exist_ok=True)
    drawn.symlink_to(victim)
    assert hebbarium("figures", run).exit_code == 0
    assert victim.read_text() == "precious"
    assert not drawn.is_symlink()
    shutil.rmtree(run / "figures")
    (run / "figures").symlink_to(tmp_path)
    assert "figures: is a link" in refused("figures", run)
    assert not (tmp_path / "receptive_fields.png").exists()


def test_training_goes_on_from_another_run(trained: tuple[Path, Result], tmp_path: Path) -> None:
    out = tmp_path / "warm"
    words = [
        "--from",
        trained[0],
        "--images",
        "20",
        "--test-images",
        "10",
        "--labels-from",
        "all",
        "--set",
        "w_t=7",
    ]
    result = hebbarium("train", "synaptic_scaling", *words, "--out", out, "--no-figures")
    assert result.exit_code == 0, result.output
    assert not (out / "figures").exists()
    with results.open_run(trained[0]) as before, results.open_run(out) as after:
        old, new = (tree["weights/input_to_excitatory"].to_dataset()["w"] for tree in (before, after))
        np.testing.assert_array_equal(new.isel(samples_seen=0), old.isel(samples_seen=-1))
        shown = results.decoded(after)["parameters"]
    assert (shown["tau_p"], shown["w_t"], shown["neurons"]) == ("20*ms", "7", "20")


def test_another_size_cannot_go_on(trained: tuple[Path, Result], tmp_path: Path) -> None:
    text = refused("train", "synaptic_scaling", "--from", trained[0], "--neurons", "30", "--out", tmp_path / "warm")
    assert "784 + 20 + 20 neurons" in text


def test_runs_are_numbered(trained: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made: list[Path] = []

    def begin(prepared: Prepared, out: Path, reporter: object) -> None:
        out.mkdir(parents=True)
        made.append(out)

    monkeypatch.setattr(training, "begin", begin)
    monkeypatch.setattr(running, "conclude", lambda run, figures: None)
    for _ in range(2):
        assert hebbarium("train", "synaptic_scaling", "--images", "10").exit_code == 0
    assert [str(out) for out in made] == [f"runs/synaptic_scaling-mnist-embedded-00{n}" for n in (1, 2)]


def test_a_long_run_is_estimated_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "LONG", 1.0)
    monkeypatch.setattr(training, "begin", lambda prepared, out, reporter: out.mkdir())
    monkeypatch.setattr(running, "conclude", lambda run, figures: None)
    words = ["--neurons", "20", "--images", "60", "--test-images", "30", "--out", tmp_path / "run"]
    result = hebbarium("train", "synaptic_scaling", *words)
    assert result.exit_code == 0, result.output
    assert "This will take about" in result.stderr
    assert "of disk" in result.stderr


def test_the_same_command_gives_the_same_bits(trained: tuple[Path, Result], tmp_path: Path) -> None:
    out = tmp_path / "again"
    words = ["--set", "tau_p=20 ms", "--set", "w_t=5", "--out", out, "--no-figures", "--jobs", "2"]
    result = hebbarium("train", "synaptic_scaling", *SMALL, *words)
    assert result.exit_code == 0, result.output
    with results.open_run(trained[0]) as one, results.open_run(out) as other:
        for group in ("weights/input_to_excitatory", "activity/excitatory", "test/excitatory", "evaluation"):
            assert one[group].to_dataset().equals(other[group].to_dataset())


@pytest.mark.long
def test_a_sweep_says_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "LONG", 1.0)
    words = ["sweep", "synaptic_scaling", *SMALL, "--set", "w_t=3,9", "--out", tmp_path]
    result = hebbarium(*words)
    assert result.exit_code == 0, result.output
    assert "2 runs: about" in result.stderr
    assert result.stdout.splitlines()[0] == "| w_t | seeds | most_active | class_mean |"
    assert (tmp_path / "w_t=3_seed=0" / "results.nc").is_file()
    again = hebbarium(*words)
    assert again.stdout == result.stdout
    assert "2 runs: about" not in again.stderr
    (tmp_path / "w_t=3_seed=0" / "configuration.json").write_text("{")
    assert "configuration.json is damaged" in refused(*words)


def test_claims_are_judged_from_a_ledger(tmp_path: Path) -> None:
    result = hebbarium("reproduce", "synaptic_scaling", "--claims", "--results", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("not enough runs") == 8
    assert (tmp_path / "synaptic_scaling_claims.md").is_file()


def test_what_no_claim_asks_for_is_not_measured(tmp_path: Path) -> None:
    result = hebbarium("reproduce", "timing_backprop", "--claims", "--measure", "--results", tmp_path)
    assert result.exit_code != 0
    assert "--measure: no claim on timing_backprop" in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_demonstration(tmp_path: Path) -> None:
    result = hebbarium("demo", "--neurons", "20", "--images", "200", "--out", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert "accuracy on 1,000 test images of mnist-embedded" in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.startswith("receptive fields: "))
    assert Path(line.removeprefix("receptive fields: ")).stat().st_size > 1000


@pytest.mark.slow
def test_ctrl_c_stops_at_a_whole_block_and_the_run_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    size = ["--neurons", "20", "--images", "1500", "--block", "20", "--test-images", "10"]
    words = ["train", "synaptic_scaling", *size, "--labels-from", "all", "--out", str(run)]
    command = [sys.executable, "-m", "hebbarium.commands.commandline", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 300
        while not list((run / "checkpoints").glob("*")) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "hebbarium: stopped by a signal at the last whole block" in said
    assert "Traceback" not in said
    assert not Run.open(run).is_complete
    resumed = hebbarium("resume", run, "--no-figures")
    assert resumed.exit_code == 0, resumed.output
    assert Run.open(run).is_complete
