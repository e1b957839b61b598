"""What was never run: the CUDA programs, on a GPU. ``make gpu``; see `docs/benchmarks.md`."""
