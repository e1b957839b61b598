"""How children are waited for: on any Linux and any build of Python, without using a processor, and at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from hebbarium.engine import interruption
from hebbarium.files.errors import Stopped


@pytest.fixture(autouse=True)
def no_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many builds of Python have no such function, and kernels before 5.3 no such call."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)


def child(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-c", code])


def soon(send: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(0.3, send)
    timer.start()
    return timer


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL)]
)
def test_the_exit_code_is_returned(code: str, expected: int) -> None:
    assert interruption.wait(child(code)) == expected


def test_a_child_that_has_ended_already() -> None:
    ended = child("raise SystemExit(3)")
    ended.wait()
    assert interruption.wait(ended) == 3


def test_waiting_takes_no_processor_time() -> None:
    sleeping = child("import time; time.sleep(1)")
    before = time.process_time()
    interruption.wait(sleeping)
    assert time.process_time() - before < 0.2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_child_at_once(number: int) -> None:
    sleeping = child("import time; time.sleep(60)")
    with interruption.stopping_on_signals():
        soon(lambda: os.kill(os.getpid(), number))
        with pytest.raises(Stopped):
            interruption.wait(sleeping)
    assert sleeping.returncode == -signal.SIGKILL


def test_a_signal_before_the_child_is_waited_for() -> None:
    with interruption.stopping_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        sleeping = child("import time; time.sleep(60)")
        with pytest.raises(Stopped):
            interruption.wait(sleeping)
    assert sleeping.returncode == -signal.SIGKILL


def test_children_of_other_threads_are_ended_too() -> None:
    sleeping = [child("import time; time.sleep(60)") for _ in range(3)]
    told = []

    def wait(process: subprocess.Popen[bytes]) -> None:
        try:
            interruption.wait(process)
        except Stopped as error:
            told.append(error)

    with interruption.stopping_on_signals():
        threads = [threading.Thread(target=wait, args=(process,)) for process in sleeping]
        for thread in threads:
            thread.start()
        soon(lambda: os.kill(os.getpid(), signal.SIGTERM))
        for thread in threads:
            thread.join()
    assert len(told) == 3
    assert [process.returncode for process in sleeping] == [-signal.SIGKILL] * 3


def test_an_interruption_without_a_handler_leaves_no_child() -> None:
    sleeping = child("import time; time.sleep(60)")
    soon(lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        interruption.wait(sleeping)
    assert sleeping.returncode == -signal.SIGKILL
