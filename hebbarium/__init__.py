"""Spike-based learning papers as Brian2 equations: compiled, resumable, held beside their printed numbers."""
