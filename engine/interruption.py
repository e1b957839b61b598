"""SIGINT and SIGTERM ask a run to stop at its last whole block; children die with their parent."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from engine.errors import Stopped

_asked = threading.Event()


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """While active, SIGINT and SIGTERM set a flag that ends the run at its last whole block."""
    _asked.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        _asked.set()

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _asked.clear()


def stop_if_asked() -> None:
    """Raise `Stopped` if a signal has asked for it."""
    if _asked.is_set():
        raise Stopped("stopped by a signal at the last whole block; `hebbarium resume` goes on from there")


def die_with_parent() -> None:
    """For a child process, before it starts: be killed when the process that made it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_pdeathsig = 1
    libc.prctl(pr_set_pdeathsig, signal.SIGKILL)


def wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for a child and return its exit code; kill it and raise `Stopped` if a signal asks for it."""
    handle = os.pidfd_open(child.pid)
    try:
        while child.poll() is None:
            select.select([handle], [], [], 0.2)
            if _asked.is_set() and child.poll() is None:
                child.kill()
                child.wait()
                stop_if_asked()
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        os.close(handle)
    return child.returncode
