"""What the benchmarks do with their measurements. Nothing here asserts how fast anything is."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from brian2 import ms

from benchmarks import by_hand, comparison, figure, rows
from benchmarks.handed_over import HandedOver, scaled
from benchmarks.rows import Benchmark
from benchmarks.worker import Measurement, Worker, WorkerFailed, measure
from hebbarium.engine import machine
from hebbarium.ledger import wall_times
from hebbarium.models.synaptic_scaling import SynapticScaling

ROWS = [
    Benchmark("ours: an image", 1.2345, "ms"),
    Benchmark("times as fast", 60.0, "", at_least=50),
    Benchmark("share", 12.0, "%", below=10),
]


def test_table() -> None:
    lines = rows.table(ROWS).splitlines()
    assert lines[0].split() == ["ours:", "an", "image", "1.23", "ms"]
    assert lines[1].endswith("at least 50: met")
    assert lines[2].endswith("below 10: missed")
    assert rows.table([]) == ""


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.012345, "0.0123"), (9.996, "10.00"), (222.2, "222"), (54321, "54321")]
)
def test_numbers_are_shown_with_three_digits(value: float, shown: str) -> None:
    assert rows.show(value) == shown


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "results" / "benchmarks.csv"
    rows.write_csv(path, ROWS, "a processor, 2 cores", "abc123")
    rows.write_csv(path, ROWS[:2], "a processor, 2 cores", "def456")
    with open(path, newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == ["name", "value", "unit", "machine", "commit"]
    assert [r["commit"] for r in read] == ["def456"] * 2
    assert read[0]["machine"] == "a processor, 2 cores"
    assert [(r.name, r.unit) for r in rows.read_csv(path)] == [(r.name, r.unit) for r in ROWS[:2]]
    assert rows.read_csv(path)[1].value == 60
    assert list(path.parent.iterdir()) == [path], "a temporary file was left"


def test_exponent() -> None:
    sizes = [100, 400, 1600, 6400]
    assert rows.exponent(sizes, [0.01 * n for n in sizes]) == pytest.approx(1)
    assert rows.exponent(sizes, [n**1.5 for n in sizes]) == pytest.approx(1.5)
    for wrong in (
        ([100], [100, 100]),
        ([100, 400], [1, 0]),
        ([100], [1]),
        ([100, 100], [1, 2]),
        ([100, 400], [1]),
    ):
        with pytest.raises(ValueError):
            rows.exponent(*wrong)


def test_ratios_are_taken_within_a_round() -> None:
    fast = [Measurement(100, wall=1.0, cpu=1.0, spikes=0), Measurement(100, wall=4.0, cpu=1.0, spikes=0)]
    slow = [Measurement(10, wall=5.0, cpu=2.0, spikes=0), Measurement(10, wall=20.0, cpu=4.0, spikes=0)]
    assert comparison.ratio(slow, fast) == pytest.approx(50)
    assert comparison.ratio(slow, fast, "cpu") == pytest.approx(30)
    assert comparison.milliseconds(fast) == pytest.approx(25)


def test_set_up_is_what_is_not_the_main_loop() -> None:
    assert comparison.set_up_share(
        [Measurement(1000, wall=5.0, cpu=5.0, spikes=0, run=4.75)]
    ) == pytest.approx(5)


def test_a_measurement() -> None:
    measured = measure(7, lambda: 3)
    assert (measured.images, measured.spikes) == (7, 3)
    assert measured.wall >= 0
    assert measured.cpu >= 0


def test_a_worker_answers_and_ends() -> None:
    code = """
from benchmarks.worker import measure, serve

def train(count):
    print("a library says something")
    return measure(count, lambda: 2*count)

serve({"kind": "pretence"}, train)
"""
    with Worker([sys.executable, "-c", code]) as worker:
        assert worker.description == {"kind": "pretence"}
        assert worker.ask(3).spikes == 6
        assert worker.ask(5).images == 5


def test_a_worker_that_fails_says_why() -> None:
    with pytest.raises(WorkerFailed, match="no such network"):
        Worker([sys.executable, "-c", "raise SystemExit('no such network')"])
    with pytest.raises(WorkerFailed, match="cannot be started"):
        Worker(["no/such/interpreter"])


def test_bindsnet_is_never_left_out_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(comparison.BINDSNET_PYTHON, raising=False)
    said: list[str] = []
    assert comparison._bindsnet(comparison.QUICK, Path("images.npy"), lambda *_: None, said.append) == []
    assert "LEFT OUT" in said[0]
    assert comparison.BINDSNET_PYTHON in said[0]
    monkeypatch.setenv(comparison.BINDSNET_PYTHON, "no/such/python")
    with pytest.raises(FileNotFoundError, match="no/such/python"):
        comparison._bindsnet(comparison.QUICK, Path("images.npy"), lambda *_: None, said.append)


def test_the_program_by_hand_gets_the_models_parameters() -> None:
    given = by_hand.options(SynapticScaling(neurons=400, norm="L1"))
    assert (given["n"], given["norm"], given["w_t"], given["tau_p"]) == ("400", "1", "9", "60")
    source = by_hand.SOURCE.read_text()
    unknown = [name for name in given if f'"{name}"' not in source]
    assert not unknown, f"{by_hand.SOURCE.name} has no option {unknown}"


def test_machine_is_in_words() -> None:
    assert "core" in machine.in_words()
    assert "\n" not in machine.in_words()


@pytest.mark.parametrize(
    ("cpuinfo", "words"),
    [
        ("model\t\t: 85\nmodel name\t: Intel(R) Xeon(R) Gold 6130 CPU\n", "Intel(R) Xeon(R) Gold 6130 CPU"),
        (
            "cpu family\t: 25\nmodel\t: 17\nmodel name\t: AMD EPYC\n\nmodel\t: 1\nmodel name\t: another\n",
            "AMD EPYC (cpu family 25, model 17)",
        ),
        (
            "CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
            "unknown processor (CPU implementer 0x41, CPU part 0xd0c)",
        ),
        ("", "unknown processor"),
    ],
)
def test_a_processor_whose_name_says_little_is_told_by_its_model(cpuinfo: str, words: str) -> None:
    assert machine.processor_of(cpuinfo) == words


@pytest.mark.parametrize("sizes", [{}, {100: 1.0, 400: 3.5}])
def test_figure(tmp_path: Path, sizes: dict[int, float]) -> None:
    path = tmp_path / "figures" / "benchmarks.svg"
    figure.draw(path, {"ours": 2.0, "others": 100.0}, ["ours"], sizes, 0.9 if sizes else None)
    assert path.read_text().rstrip().endswith("</svg>")
    assert list(path.parent.iterdir()) == [path]


def test_rows_of_other_parts_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.csv"
    rows.write_csv(path, ROWS, "a processor", "abc123", keep=True)
    rows.write_csv(path, [Benchmark("share", 9.0, "%"), Benchmark("memory", 3.0, "MB")], "another", "def456", keep=True)
    with open(path, newline="") as file:
        read = [(r["name"], r["value"], r["machine"], r["commit"]) for r in csv.DictReader(file)]
    assert read == [
        ("ours: an image", "1.234", "a processor", "abc123"),
        ("times as fast", "60", "a processor", "abc123"),
        ("share", "9", "another", "def456"),
        ("memory", "3", "another", "def456"),
    ]


def test_a_whole_run_keeps_how_long_tables_took(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.csv"
    rows.write_csv(path, ROWS, "a processor", "abc123")
    wall_times.note(path, "model: IV", 4, 2, 90, "a processor", "abc123")
    rows.write_csv(path, [Benchmark("memory", 3.0, "MB")], "another", "def456")
    assert [row.name for row in rows.read_csv(path)] == [wall_times.name_of("model: IV", 4, 2), "memory"]


def test_options_of_a_side(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(comparison, "Worker", started.append)
    comparison.side("python", "compiled", Path("i.npy"), warm_up=3, set=["a=1", "b=2"], save=None, profile=True)
    assert started == [["python", "-m", "benchmarks.compiled", "--images", "i.npy", "--warm-up", "3",
                        "--set", "a=1", "--set", "b=2", "--profile"]]  # fmt: skip


@pytest.mark.parametrize("part", comparison.PEERS)
def test_simulators_are_never_left_out_silently(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    called, variable, package, module = comparison.PEERS[part]
    said: list[str] = []

    def start() -> str | None:
        peer = comparison.PEERS[part]
        return comparison._peer(peer, comparison.QUICK, Path("images"), Path("start"), lambda *_: None, said.append)

    monkeypatch.delenv(variable, raising=False)
    assert start() is None
    assert f"{called} IS LEFT OUT" in said[0]
    assert variable in said[0]
    assert package in said[0]
    monkeypatch.setenv(variable, "no/such/python")
    with pytest.raises(FileNotFoundError, match=f"no/such/python: expected a Python that has {package}"):
        start()
    assert (Path(comparison.__file__).parent / f"{module}.py").is_file()


def test_a_network_is_handed_over_whole(tmp_path: Path) -> None:
    generator, images = np.random.default_rng(0), np.zeros((3, 784), np.uint8)
    images[:, 100:200] = 255
    state = {"plastic.w": generator.random(784 * 6), "excitatory.theta": np.full(6, 0.002)}
    comparison.handed_over(images, state, 6).write(tmp_path / "network.npz")
    network, model = HandedOver.read(tmp_path / "network.npz"), SynapticScaling(neurons=6)
    np.testing.assert_array_equal(network.rates, model.encode(images)["rates"])
    np.testing.assert_array_equal(network.w.ravel(), state["plastic.w"])
    np.testing.assert_allclose(network.theta, 2.0)  # mV
    assert network.values["tau_p"] == pytest.approx(float(model.tau_p / ms))
    assert network.values["to_exc"] * network.values["tau_s"] == pytest.approx(float(model.gain / ms))
    assert network.values["from_inh"] * 5 * network.values["tau_s"] == pytest.approx(float(model.w_ie / ms))
    rows_of_neurons = scaled(network.w.T, network.values["w_t"])
    np.testing.assert_allclose(np.linalg.norm(rows_of_neurons, axis=1), float(model.w_t))


@pytest.mark.parametrize("module", [peer[3] for peer in comparison.PEERS.values()])
def test_a_side_of_another_interpreter_uses_what_is_handed_over(module: str) -> None:
    text = (Path(comparison.__file__).parent / f"{module}.py").read_text()
    assert "hebbarium" not in text.lower()
    images = np.zeros((1, 784), np.uint8)
    images[:, 0] = 255
    state = {"plastic.w": np.ones(784 * 2), "excitatory.theta": np.zeros(2)}
    unused = [name for name in comparison.handed_over(images, state, 2).values if f'"{name}"' not in text]
    assert not unused or unused == ["w_min"], f"{module} makes no use of {unused}"


def test_what_a_library_prints_first_is_no_answer() -> None:
    code = "print('5.0\\n[1]'); from benchmarks.worker import serve; serve({'kind': 'loud'}, lambda count: None)"
    with Worker([sys.executable, "-c", code]) as worker:
        assert worker.description == {"kind": "loud"}
