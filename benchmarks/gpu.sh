#!/bin/sh
# All that was never run on a GPU, in under ten minutes: sh benchmarks/gpu.sh [--out DIR] [--dry-run]; see docs/benchmarks.md.
set -eu
cd "$(dirname "$0")/.."
sh virtual-environment.sh cuda
exec .venv/bin/python -m benchmarks.gpu "$@"
