"""Which version of the project a result comes from."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any


def version() -> str:
    """The version that is installed; empty if the packages are only lying there."""
    try:
        return metadata.version("hebbarium")
    except metadata.PackageNotFoundError:
        return ""


def code_version() -> dict[str, Any]:
    """The commit of the project's clone and whether files differ from it; empty where this is no clone of its own."""
    here = Path(__file__).resolve().parent.parent
    # what git may be told of another repository, in a hook of one, say
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*arguments: str) -> str | None:
        # without a lock, which would stay in the clone if this process were killed
        command = ["git", "--no-optional-locks", "-C", str(here), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        top = git("rev-parse", "--show-toplevel")
        # An environment may lie in a repository of something else, which does not track what is installed there.
        if not top or Path(top) != here or git("ls-files", "--error-unmatch", str(Path(__file__).resolve())) is None:
            return {"commit": "", "dirty": False}
        return {
            "commit": git("rev-parse", "HEAD") or "",
            # results that came in meanwhile change nothing that runs
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")),
        }
    except OSError:
        return {"commit": "", "dirty": False}
