"""SIGINT and SIGTERM ask a run to stop at its last whole block; children die with their parent."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hebbarium.files.errors import Stopped

_asked = threading.Event()
# One for each child that is waited for. A signal's handler may put into such a queue whatever it interrupted.
_waiting: set[queue.SimpleQueue[None]] = set()
# Found beforehand: between fork and exec nothing may be loaded.
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """While active, SIGINT and SIGTERM set a flag that ends the run at its last whole block."""
    if threading.current_thread() is not threading.main_thread():  # others have no say in signals
        yield
        return
    _asked.clear()

    def ask(number: int, frame: FrameType | None) -> None:
        _asked.set()
        for news in tuple(_waiting):
            news.put(None)

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


def die_with_parent(by: int = signal.SIGKILL) -> None:
    """For a child process, before it starts: get a signal when the process that made it ends; where there is prctl."""
    if _prctl is not None:
        pr_set_pdeathsig = 1
        _prctl(pr_set_pdeathsig, by)


def start_family(command: list[str], **others: Any) -> subprocess.Popen[bytes]:
    """Start a program that starts others, as a group that `wait` kills as a whole, and that dies with this process.

    The kernel tells a child of its parent's end, but not the child's children: a shell hears of it for all of them.

    Raises
    ------
    OSError
        There is no such program, or no shell.
    """
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return subprocess.Popen(
        ["sh", "-c", 'trap "kill -KILL 0" TERM; "$@" & wait $!', "sh", *command],
        start_new_session=True,
        preexec_fn=functools.partial(die_with_parent, signal.SIGTERM),
        **others,
    )


def wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for a child and return its exit code; kill it and raise `Stopped` if a signal asks for it.

    Where the child leads a session of its own, all that it has started is killed with it.

    A thread waits for the child, since only Linux 5.3 and newer, and only some builds of Python, can wait for a child
    and for a signal in one call.
    """
    news: queue.SimpleQueue[None] = queue.SimpleQueue()

    def until_it_ends() -> None:
        child.wait()
        news.put(None)

    watcher = threading.Thread(target=until_it_ends, daemon=True)
    _waiting.add(news)
    try:
        watcher.start()
        if not _asked.is_set():
            news.get()
        if child.poll() is None:
            stop_if_asked()
    except BaseException:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        raise
    finally:
        _waiting.discard(news)
        code = child.wait()
    return code
