"""The IDX file format of the MNIST family: raw, gzip-compressed or xz-compressed arrays of bytes.

A file is four bytes of magic (two zeros, a code of the element type, the number of dimensions), one
big-endian 32-bit length a dimension, then the elements in row-major order. Images of the MNIST family are
unsigned bytes with three dimensions (image, row, column), labels unsigned bytes with one.
"""

from __future__ import annotations

import gzip
import lzma
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 0x08
GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"


class IdxError(ValueError):
    """A file that cannot be read or is no IDX file of unsigned bytes. The message names the file."""


def read_bytes(path: Path) -> bytes:
    """Bytes of a file, decompressed if they are compressed.

    The compression is recognised by the first bytes, not by the name: files that a browser or a mirror
    unpacked on the way often keep their ``.gz``.

    Parameters
    ----------
    path : Path
        A raw, gzip-compressed or xz-compressed file.

    Raises
    ------
    IdxError
        The file is missing, may not be read, or its compressed stream is cut short or damaged.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise IdxError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not stored:
        raise IdxError(f"{path}: is empty (0 bytes)")
    try:
        if stored.startswith(GZIP_MAGIC):
            return gzip.decompress(stored)
        if stored.startswith(XZ_MAGIC):
            return lzma.decompress(stored, format=lzma.FORMAT_XZ)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, struct.error) as error:
        raise IdxError(
            f"{path}: the compressed file is cut short or damaged after {len(stored):,} bytes ({error})"
        ) from error
    return stored


def decode(content: bytes, name: str = "IDX data") -> NDArray[np.uint8]:
    """Array held by the decompressed content of an IDX file.

    Parameters
    ----------
    content : bytes
        Header and elements, not compressed.
    name : str
        What error messages call the content, usually the file's path.

    Returns
    -------
    numpy.ndarray
        Read-only, uint8, of the shape the header states.

    Raises
    ------
    IdxError
        The magic bytes are wrong, the elements are no unsigned bytes, or there are fewer or more of them
        than the header states.

    Examples
    --------
    >>> decode(b"\\x00\\x00\\x08\\x01\\x00\\x00\\x00\\x03\\x05\\x00\\x04")
    array([5, 0, 4], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\x00\x00":
        raise IdxError(
            f"{name}: no IDX file; expected two zero bytes, an element type and a number of dimensions, "
            f"found {content[:4].hex(' ') or 'nothing'}"
        )
    element_type, dimensions = content[2], content[3]
    if element_type != UNSIGNED_BYTE:
        raise IdxError(
            f"{name}: holds IDX elements of type 0x{element_type:02x}; expected unsigned bytes, 0x08"
        )
    start = 4 + 4 * dimensions
    if dimensions == 0 or len(content) < start:
        raise IdxError(
            f"{name}: the IDX header of {dimensions} dimensions is cut short; "
            f"expected at least {max(start, 8)} bytes, found {len(content)}"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        what = "is cut short" if len(content) < expected else "has bytes left over"
        size = " x ".join(str(length) for length in shape)
        raise IdxError(
            f"{name}: {what}; its header states {size} elements, {expected:,} bytes in all, "
            f"found {len(content):,}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def encode(array: NDArray[np.uint8]) -> bytes:
    """Decompressed content of the IDX file that holds an array.

    Parameters
    ----------
    array : numpy.ndarray
        uint8, of 1 to 255 dimensions.

    Raises
    ------
    IdxError
        The array is not uint8 or has no dimension.
    """
    if array.dtype != np.uint8 or not 1 <= array.ndim <= 255:
        raise IdxError(
            f"IDX content: expected a uint8 array of at least one dimension, "
            f"got {array.dtype} with {array.ndim} dimensions"
        )
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def read(path: Path) -> NDArray[np.uint8]:
    """Array held by an IDX file, raw or compressed; see `read_bytes` and `decode`."""
    return decode(read_bytes(path), str(path))
