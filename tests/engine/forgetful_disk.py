"""What a disk holds after a power cut that forgets all that nobody waited for.

A disk may keep more than it promised, but a file's bytes are certain only once the file was synced, and a name only
once its folder was. `Disk` takes note of every sync below a folder and can write, at any moment, the two images
that lose most: in one nothing is there but what was synced; in the other every name is there, as journals often
have it, but a file whose bytes were not synced is empty.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Image = dict[str, bytes | None]
"""Path below the disk to a file's bytes, or None for a folder."""


@dataclass
class _Node:
    """A file or a folder as the disk has it for certain."""

    content: bytes = b""
    names: dict[str, _Node] = field(default_factory=dict)
    is_folder: bool = False


class Disk:
    """Everything below a folder, as a power cut would leave it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._nodes: dict[tuple[int, int], _Node] = {}

    def promised(self) -> Image:
        """Only what was synced."""
        image: Image = {}

        def look(node: _Node, path: str) -> None:
            for name, child in node.names.items():
                image[f"{path}{name}"] = None if child.is_folder else child.content
                look(child, f"{path}{name}/")

        look(self._node(os.stat(self.root)), "")
        return image

    def named(self) -> Image:
        """Every name, but only bytes that were synced."""
        image: Image = {}
        for path in sorted(self.root.rglob("*")):
            status = path.stat()
            name = str(path.relative_to(self.root))
            image[name] = None if stat.S_ISDIR(status.st_mode) else self._node(status).content
        return image

    @contextmanager
    def watched(self, after: Callable[[], None]) -> Iterator[None]:
        """Take note of syncs, and call ``after`` whenever something on the disk or a name has changed."""
        fsync, mkdir = os.fsync, os.mkdir

        def noting(descriptor: int) -> None:
            fsync(descriptor)
            status = os.fstat(descriptor)
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if not path.is_relative_to(self.root):
                return
            node = self._node(status)
            if node.is_folder:
                node.names = {entry.name: self._node(entry.stat(follow_symlinks=False)) for entry in os.scandir(path)}
            else:
                node.content = path.read_bytes()
            after()

        def forgetting(call: Callable[..., None]) -> Callable[..., None]:
            """A call that frees a file or folder: its number may be given to another one."""

            def freeing(*arguments: Any, dir_fd: int | None = None, **others: Any) -> None:
                try:
                    gone = os.stat(arguments[-1], dir_fd=dir_fd, follow_symlinks=False)
                except FileNotFoundError:
                    gone = None
                call(*arguments, **others, **({} if dir_fd is None else {"dir_fd": dir_fd}))
                if gone is not None:
                    self._nodes.pop((gone.st_dev, gone.st_ino), None)
                after()

            return freeing

        def making(*arguments: Any, **others: Any) -> None:
            mkdir(*arguments, **others)
            after()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", noting)
            patch.setattr(os, "mkdir", making)
            for name in ("replace", "rename", "unlink", "rmdir"):
                patch.setattr(os, name, forgetting(getattr(os, name)))
            yield

    def _node(self, status: os.stat_result) -> _Node:
        return self._nodes.setdefault(
            (status.st_dev, status.st_ino), _Node(is_folder=stat.S_ISDIR(status.st_mode))
        )


def lay_out(image: Image, folder: Path) -> None:
    """Make files and folders of an image."""
    folder.mkdir()
    for name, content in sorted(image.items()):
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
