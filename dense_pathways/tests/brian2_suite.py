"""Brian2's own standalone tests on the dense device and on stock: ``python tests/brian2_suite.py``.

Not collected by pytest: it takes the better part of an hour. Prints and writes (``results/brian2_suite.csv``) which
tests pass and fail on each device, and names those whose outcome differs. What the tests say as they go is in
``build/brian2_suite/``. Stock projects are some sixty files each; they are compiled without optimisation, or that alone
would take two hours.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import brian2

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
SAID = HERE.parent / "build" / "brian2_suite"
DEVICES = ("cpp_dense", "cpp_standalone")
# Brian2 calls pytest twice: for tests with one run, and for those with several.
CODE = """
import sys
import brian2
import dense_pathways
device, *chosen = sys.argv[1:]
brian2.prefs.reset_to_defaults()
if device == "cpp_standalone":
    import side_by_side
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = [*side_by_side.PLAIN, side_by_side.read_once()]
brian2.test([], test_codegen_independent=False, test_standalone=device, test_openmp=False, test_in_parallel=[],
            reset_preferences=False, additional_args=["-p", "dense_pathways", "-rA", "--tb=no", *chosen])
"""


def outcomes(device: str, chosen: list[str]) -> dict[str, str]:
    """Each test that ran to ``passed`` or ``failed``."""
    command = [sys.executable, "-c", CODE, device, *chosen]
    SAID.mkdir(parents=True, exist_ok=True)
    with open(SAID / f"{device}.txt", "w", encoding="utf-8") as out:
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, env=environment)
    said = (SAID / f"{device}.txt").read_text(encoding="utf-8")
    # those that come last name a device themselves, and run on no other
    said = said.partition("Running standalone-specific tests")[0]
    listed = re.findall(r"^(PASSED|FAILED|ERROR) \S*?(tests/\S+)", said, re.MULTILINE)
    return {test: "passed" if outcome == "PASSED" else "failed" for outcome, test in listed}


def main() -> int:
    """Run both, compare, write."""
    both = {device: outcomes(device, sys.argv[1:]) for device in DEVICES}
    names = sorted(set().union(*both.values()))
    different = [n for n in names if len({outcome.get(n) for outcome in both.values()}) > 1]
    for name in different:
        print(name, *(f"{d}: {both[d].get(name, 'missing')}" for d in DEVICES))
    RESULTS.mkdir(exist_ok=True)
    with open(RESULTS / "brian2_suite.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["test", *DEVICES, "brian2"])
        for name in names:
            table.writerow([name, *(both[d].get(name, "missing") for d in DEVICES), brian2.__version__])
    for device in DEVICES:
        ends = list(both[device].values())
        print(f"{device}: {ends.count('passed')} passed, {ends.count('failed')} failed")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
