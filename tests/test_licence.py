"""No C++ of ours has lines in common with Brian2, which has another licence; `dense_pathways` tests its own files."""

from __future__ import annotations

from shared_lines import MOST, shared
from tests.test_project import ROOT


def test_no_text_of_programs_in_cpp_is_brian2s() -> None:
    folders = [ROOT / name for name in ("engine", "exports", "benchmarks")]
    files = [file for folder in folders for suffix in (".h", ".cpp") for file in folder.rglob(f"*{suffix}")]
    assert files
    for file in files:
        assert len(shared(file)) <= MOST, (file, shared(file))
