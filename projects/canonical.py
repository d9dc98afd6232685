"""JSON as it is hashed: sorted keys, no spaces. One value has one text."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def canonical_encoder(*, ensure_ascii: bool, allow_nan: bool) -> Callable[[Any], str]:
    """A function that writes a JSON value as canonical text; ValueError for NaN and infinity without `allow_nan`.

    What `json.JSONEncoder.encode` writes, with the standard library's C encoder made once: `encode` makes one for
    every value, which for small values is half of its time. A value must not hold itself.
    """
    plain = json.JSONEncoder(
        sort_keys=True, separators=(",", ":"), allow_nan=allow_nan, ensure_ascii=ensure_ascii, check_circular=False
    )
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without the C part
        return plain.encode
    text = encoder.encode_basestring_ascii if ensure_ascii else encoder.encode_basestring
    parts, join = make(None, plain.default, text, None, ":", ",", True, False, allow_nan), "".join
    return lambda value: join(parts(value, 0))
