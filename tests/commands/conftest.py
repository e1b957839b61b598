"""Tests of the commands share one small run."""

from tests.small_run import trained as trained
