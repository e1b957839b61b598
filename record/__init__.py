"""The result file of a run: what it holds, how it is written and opened."""
