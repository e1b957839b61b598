"""``python -m benchmarks``: all sides in one run, as a table, `results/benchmarks.csv` and a figure."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import cluster, comparison, conversion, desire, figure, hidden_size, rows, timing, tssl
from benchmarks.worker import ROOT, WorkerFailed
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import machine
from hebbarium.ledger import commits
from hebbarium.training import provenance

PARTS = ("brian2", "bindsnet", *comparison.PEERS, "stock", "by-hand", "set-up", "memory", "scaling", "build",
         "specimens", "desire", "hidden-size", "timing", "tssl", "conversion")  # fmt: skip
ASKED_FOR = ("cluster",)
"""Measured only if it is asked for: it needs Snakemake, and takes ten minutes."""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed, memory and scaling, side by side."
    )
    parser.add_argument(
        "--only", action="append", choices=(*PARTS, *ASKED_FOR), help="measure this part alone; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="fewer images and rounds: for a first look")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder of benchmarks.csv and figures (default: results/ after a whole run; nothing is written after"
        " --quick or --only unless this is given). With --only, rows of other parts that are there are kept",
    )
    options = parser.parse_args()
    only = set(options.only or PARTS)
    plan = comparison.QUICK if options.quick else comparison.FULL
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    # what stands in the file is the code and the machine at the start: a run takes minutes
    computer, commit, load = machine.in_words(), commits.named(**provenance.code_version()), os.getloadavg()[0]
    print(f"{computer}; commit {commit or 'unknown'}; load average {load:.1f}")
    if load > 0.5:
        say("the machine is busy: times by the clock are too long, ratios less certain")
    outcome = comparison.Outcome()
    growth: dict[str, hidden_size.Growth] = {}
    try:
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            digits = datasets.load("mnist-embedded")
            np.save(scratch / "images.npy", digits.train_images)
            np.save(scratch / "labels.npy", digits.train_labels)
            if "build" in only:
                outcome.rows += comparison.build_time(scratch / "images.npy", scratch, say)
            if only & {"brian2", "bindsnet", *comparison.PEERS, "stock", "set-up"}:
                compared = comparison.compare(plan, scratch / "images.npy", scratch, only, say)
                outcome.rows += compared.rows
                outcome.sides |= compared.sides
            if "specimens" in only:
                outcome.rows += comparison.specimens(plan, scratch / "images.npy", scratch, say)
                outcome.rows += comparison.projected(plan, scratch / "images.npy", say)
            if "desire" in only:
                amounts = desire.QUICK if options.quick else desire.FULL
                outcome.rows += desire.compare(amounts, scratch / "images.npy", scratch / "labels.npy", scratch, say)
            if "timing" in only:
                turns = timing.QUICK if options.quick else timing.FULL
                outcome.rows += timing.compare(turns, scratch / "images.npy", scratch / "labels.npy", scratch, say)
            if "tssl" in only:
                of_tssl = tssl.QUICK if options.quick else tssl.FULL
                outcome.rows += tssl.compare(of_tssl, scratch / "images.npy", scratch / "labels.npy", scratch, say)
            if "conversion" in only:
                shown = conversion.QUICK if options.quick else conversion.FULL
                outcome.rows += conversion.show(shown, scratch / "images.npy", scratch, say)
            if "cluster" in only:
                jobs = cluster.QUICK if options.quick else cluster.FULL
                outcome.rows += cluster.measure(jobs, scratch, say)
            if "hidden-size" in only:
                sizes = hidden_size.QUICK if options.quick else hidden_size.FULL
                growth = hidden_size.measure_growth(sizes, scratch / "images.npy", scratch / "labels.npy", say)
                outcome.rows += hidden_size.rows_of(growth[hidden_size.ALL], growth[hidden_size.COMES])
            if only & {"memory", "scaling", "by-hand"}:
                grown = comparison.grow(plan, scratch / "images.npy", only, say)
                outcome.rows += grown.rows
                outcome.sides |= grown.sides
                outcome.sizes, outcome.power = grown.sizes, grown.power
    except (WorkerFailed, FileNotFoundError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    alone = only != set(PARTS)
    measured = f", {' '.join(part for part in (*PARTS, *ASKED_FOR) if part in only)} alone" if alone else ""
    outcome.rows.append(rows.Benchmark(f"load average at the start{measured}", load))
    outcome.rows.append(rows.Benchmark(f"load average at the end{measured}", os.getloadavg()[0]))
    print(rows.table(outcome.rows))

    out = options.out or (None if options.quick or alone else ROOT / "results")
    if out:
        # a part that is measured alone has not all the sides of the figure that may be there
        drawn = bool(outcome.sides) and not (alone and (out / "benchmarks.csv").exists())
        rows.write_csv(out / "benchmarks.csv", outcome.rows, computer, commit, keep=alone)
        print(out / "benchmarks.csv")
        if drawn:
            figure.draw(
                out / "figures" / "benchmarks.svg",
                outcome.sides,
                tuple(comparison.OURS.values()),
                outcome.sizes,
                outcome.power,
            )
            print(out / "figures" / "benchmarks.svg")
        if growth:
            figure.draw_hidden_size(out / "figures" / "hidden_size.svg", growth)
            print(out / "figures" / "hidden_size.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
