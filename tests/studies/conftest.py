"""Tests of studies share one small run."""

from tests.small_run import trained as trained
