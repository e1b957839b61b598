"""Errors of the engine: each names the thing, what was expected and what to do."""


def in_one_line(text: str) -> str:
    """A text without line breaks and with control characters spelled out, whoever wrote it: fit for a terminal.

    >>> in_one_line("a\\n  b\\x1b[2J")
    'a b\\\\x1b[2J'
    """
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


class EngineError(Exception):
    """Base of all errors of the engine."""


class ModelRefused(EngineError):
    """The network holds something that cannot be run, resumed or reproduced faithfully."""


class BuildFailed(EngineError):
    """Code generation or the compiler failed."""


class BlockFailed(EngineError):
    """The compiled program crashed, was killed, or wrote something incomplete. The run stays resumable."""


class RunFolderError(EngineError):
    """A run folder is in use, missing, unwritable, or does not hold what it should."""


class UnsoundState(EngineError):
    """State holds what is no finite number, or is not what its model has. Going on from it would come to nothing."""


class Stopped(EngineError):
    """The run was asked to stop and did so at its last whole block."""


class FileNotWritten(EngineError, OSError):
    """A file could not be written; what was there is as it was.

    Parameters
    ----------
    path
        The file.
    reason : str
        The system's words for it.
    is_full : bool
        Whether room on the disk would help.
    """

    def __init__(self, path: object, reason: str, is_full: bool = False) -> None:
        advice = "make room on its disk" if is_full else "choose a place that can be written"
        super().__init__(f"{path}: cannot be written ({reason}), and what was there is as it was; {advice}")
        self.reason = reason
