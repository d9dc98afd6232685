"""Random streams are named by what they are for, and numpy's own definition says what they draw."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from roles.streams import stream


@pytest.mark.parametrize("root", [0, 7, 2**31, 2**32 - 1, 2**32, 2**63, 2**80])
@pytest.mark.parametrize("n", [0, 3, 2**32 - 1, 2**32])
def test_a_stream_is_numpys_with_the_spawn_key_of_its_name(root: int, n: int) -> None:
    key = (zlib.crc32(b"ada"), zlib.crc32(b"propose"), n)
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(root, spawn_key=key)))
    assert stream(root, "ada", "propose", n).random(4).tolist() == expected.random(4).tolist()
