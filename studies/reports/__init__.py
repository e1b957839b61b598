"""Reports of runs: what each was and came to beside its paper's numbers, as one page; also while a run trains."""
