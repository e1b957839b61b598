"""The IDX reader: what is written is read, and nothing that is damaged is read as if it were whole."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from hebbarium.datasets import idx

Bytes = NDArray[np.uint8]
byte_arrays = arrays.arrays(
    np.uint8,
    arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6),
    elements=st.integers(0, 255),
)
tmp_path_is_reused = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@given(byte_arrays)
def test_decoding_undoes_encoding(array: Bytes) -> None:
    decoded = idx.decode(idx.encode(array))
    assert decoded.dtype == np.uint8
    assert decoded.shape == array.shape
    np.testing.assert_array_equal(decoded, array)


@tmp_path_is_reused
@given(byte_arrays, st.sampled_from([bytes, gzip.compress, lzma.compress]))
def test_a_file_is_read_raw_or_compressed(
    tmp_path: Path, array: Bytes, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "array.gz"  # the name says nothing about the compression
    path.write_bytes(pack(idx.encode(array)))
    np.testing.assert_array_equal(idx.read(path), array)


@given(byte_arrays, st.data())
def test_content_cut_short_anywhere_is_refused(array: Bytes, data: st.DataObject) -> None:
    content = idx.encode(array)
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(idx.IdxError, match="the-file"):
        idx.decode(cut, "the-file")


@given(byte_arrays, st.binary(min_size=1, max_size=20))
def test_content_with_bytes_left_over_is_refused(array: Bytes, rest: bytes) -> None:
    with pytest.raises(idx.IdxError, match="left over"):
        idx.decode(idx.encode(array) + rest)


@given(st.binary(max_size=64))
def test_any_bytes_are_decoded_exactly_or_refused(content: bytes) -> None:
    try:
        array = idx.decode(content)
    except idx.IdxError:
        return
    assert idx.encode(array) == content


@tmp_path_is_reused
@given(byte_arrays, st.sampled_from([gzip.compress, lzma.compress]), st.data())
def test_a_compressed_file_cut_short_anywhere_is_refused(
    tmp_path: Path, array: Bytes, pack: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    packed = pack(idx.encode(array))
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[: data.draw(st.integers(0, len(packed) - 1))])
    with pytest.raises(idx.IdxError, match=r"cut\.gz"):
        idx.read(path)


def test_the_format_is_that_of_the_published_description() -> None:
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(idx.decode(content), [[1, 2, 3], [4, 5, 6]])
    assert idx.encode(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)) == content


def test_a_huge_stated_size_is_refused_without_taking_memory() -> None:
    with pytest.raises(idx.IdxError, match="cut short"):
        idx.decode(b"\x00\x00\x08\x04" + b"\xff" * 16 + b"few")


def test_other_element_types_are_named() -> None:
    with pytest.raises(idx.IdxError, match="type 0x0d; expected unsigned bytes"):
        idx.decode(bytes([0, 0, 0x0D, 1, 0, 0, 0, 1, 0, 0, 0, 0]))


@pytest.mark.parametrize("array", [np.zeros(3), np.uint8(3)])
def test_only_byte_arrays_are_encoded(array: Bytes) -> None:
    with pytest.raises(idx.IdxError, match="expected a uint8 array"):
        idx.encode(np.asarray(array))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(idx.IdxError, match=r"absent: cannot be read \(No such file"):
        idx.read(tmp_path / "absent")
