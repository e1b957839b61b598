"""The file in which a block's arrays travel, and in which checkpoints are kept.

Layout, little-endian: the bytes ``HEBBLOCK``, a count (uint32); for each array the length of its name
(uint32), the name, the length of its type (uint32), the type in NumPy's notation, the number of bytes
(uint64), the bytes; at the end a CRC-32 of all that came before.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.files import plain_files, whole_files
from hebbarium.files.errors import EngineError

MAGIC = b"HEBBLOCK"
_NUMBERS = re.compile(r"[<|][biuf][1248]")


class BlockFileError(EngineError):
    """A block file is missing, truncated or damaged."""


def pack(arrays: Mapping[str, NDArray[Any]]) -> list[bytes | memoryview]:
    """The parts of a block file. Arrays are not copied: write them before they change."""
    parts: list[bytes | memoryview] = [MAGIC, struct.pack("<I", len(arrays))]
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array)
        kind = flat.dtype.newbyteorder("<").str.encode()
        key = name.encode()
        data = memoryview(flat.reshape(-1).view(np.uint8))
        parts += [
            struct.pack("<I", len(key)),
            key,
            struct.pack("<I", len(kind)),
            kind,
            struct.pack("<Q", len(data)),
            data,
        ]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    parts.append(struct.pack("<I", crc))
    return parts


def write(path: Path, arrays: Mapping[str, NDArray[Any]], durable: bool = False) -> None:
    """Write whole or not at all; see `hebbarium.files.whole_files.write`."""
    whole_files.write(path, pack(arrays), durable)


def read(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file, one-dimensional. Raises `BlockFileError`."""
    try:
        return unpacked(plain_files.read(path), path)
    except OSError as error:
        raise BlockFileError(f"{path}: cannot be read ({error.strerror})") from error


def unpacked(data: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of what a file holds, one-dimensional. Raises `BlockFileError`, which names the file."""
    if len(data) < len(MAGIC) + 8 or not data.startswith(MAGIC):
        raise BlockFileError(f"{path}: not a whole block file ({len(data)} bytes)")
    if zlib.crc32(memoryview(data)[:-4]) != struct.unpack_from("<I", data, len(data) - 4)[0]:
        raise BlockFileError(f"{path}: truncated or damaged (its checksum does not match)")
    try:
        return _arrays(memoryview(data)[:-4])
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        raise BlockFileError(f"{path}: its headers do not fit what it holds ({error})") from error


def _arrays(data: memoryview) -> dict[str, NDArray[Any]]:
    """Arrays of a file whose checksum is right; nothing is taken for as large as a header says before it is there."""
    at = len(MAGIC)

    def take(size: int) -> memoryview:
        nonlocal at
        if size > len(data) - at:
            raise ValueError(f"{size} bytes are announced where {len(data) - at} are left")
        at += size
        return data[at - size : at]

    (count,) = struct.unpack("<I", take(4))
    arrays = {}
    for _ in range(count):
        name, kind = (bytes(take(*struct.unpack("<I", take(4)))).decode() for _ in range(2))
        if not _NUMBERS.fullmatch(kind):
            raise ValueError(f"{name} is of type {kind}")
        content = take(*struct.unpack("<Q", take(8)))
        arrays[name] = np.frombuffer(content, np.dtype(kind)).copy()
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes are left over")
    return arrays
