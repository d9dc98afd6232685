"""Random streams named by what they are for, so that nobody's luck depends on what others drew.

numpy's `SeedSequence` says what a stream draws. Its hash takes longer than most of what is drawn, so that here its pool
is kept for all but the last word of a name, the count, and the rest is done as numpy does it (after M. E. O'Neill,
"Developing a seed_seq Alternative", 2015).
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

WORD = 2**32
_LOW = WORD - 1
_LEFT, _RIGHT = 0xCA01F9DD, 0x4973F715  # what mixes a word into the pool


def _constants(first: int, factor: int, begin: int, count: int) -> tuple[tuple[int, int], ...]:
    """Pairs of neighbours in a sequence that is multiplied by `factor` in 32 bits."""
    found = [first * pow(factor, n, WORD) % WORD for n in range(begin, begin + count + 1)]
    return tuple(pairwise(found))


_MIXED = _constants(0x43B0D7E5, 0x931E8875, 24, 4)  # of the seventh word: 4 + 12 + 2 * 4 were used before it
_GIVEN = _constants(0x8B51F9DD, 0x58F38DED, 0, 8)


class _Seeded(ISeedSequence):
    """A seed that is worked out already."""

    __slots__ = ("words",)

    def __init__(self, words: np.ndarray) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> np.ndarray:
        return self.words


def stream(root: int, entity: str, purpose: str, n: int = 0) -> np.random.Generator:
    """The random stream named by what it is for: SeedSequence(root, spawn_key=(crc32(entity), crc32(purpose), n))."""
    if 0 <= root < WORD and 0 <= n < WORD:
        seed: Any = _Seeded(_words(_pool(root, entity, purpose), n))  # numpy's stubs know no ISeedSequence
        return np.random.Generator(np.random.PCG64(seed))
    key = (zlib.crc32(entity.encode()), zlib.crc32(purpose.encode()), n)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(root, spawn_key=key)))


@lru_cache(maxsize=4096)
def _pool(root: int, entity: str, purpose: str) -> tuple[int, ...]:
    """The pool of a name before its count is mixed in."""
    words = (root, 0, 0, 0, zlib.crc32(entity.encode()), zlib.crc32(purpose.encode()))
    return tuple(np.random.SeedSequence(np.array(words, dtype=np.uint32)).pool.tolist())


def _words(pool: tuple[int, ...], n: int) -> np.ndarray:
    """What the generator is seeded with: four 64-bit words."""
    mixed = []
    for at, (before, after) in zip(pool, _MIXED, strict=False):
        word = (n ^ before) * after & _LOW
        found = (_LEFT * at - _RIGHT * (word ^ word >> 16)) & _LOW
        mixed.append(found ^ found >> 16)
    given = []
    for at, (before, after) in zip(mixed + mixed, _GIVEN, strict=False):
        word = (at ^ before) * after & _LOW
        given.append(word ^ word >> 16)
    return np.array(given, dtype="<u4").view("<u8")
