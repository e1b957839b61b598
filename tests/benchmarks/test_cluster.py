"""The benchmark of a sweep whose runs are jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import cluster


@pytest.mark.long
def test_what_a_job_costs_is_counted(tmp_path: Path) -> None:
    pytest.importorskip("snakemake", reason="Snakemake is not installed")
    said: list[str] = []
    rows = {row.name.partition(": ")[2]: row.value for row in cluster.measure(cluster.QUICK, tmp_path, said.append)}
    assert len(said) == 2
    assert 0 < rows["processor time of a job beside its training"] < rows["processor time of a job"]
    assert rows["files of a run"] >= 1
    assert rows["written by a job"] * 1e3 > rows["size of a run"]  # checkpoints, which the next one replaces
    fewest = cluster.MANY / cluster.NODES * cluster.MINUTES / 60
    assert rows[f"sweep of {cluster.MANY} runs of {cluster.MINUTES} min on {cluster.NODES} nodes"] > fewest
