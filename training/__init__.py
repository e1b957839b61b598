"""Runs: what they are asked to do, what they begin with, the loop that trains, many of them at once."""
