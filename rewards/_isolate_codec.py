"""What parent and worker agree on: the frames, and plain data as JSON with tags.

Reading an answer runs no code, and takes time in proportion to its length.
"""

from __future__ import annotations

import math
import struct
from typing import Any

STATUSES = ("ok", "timeout", "memory", "crashed", "error")
REQUEST = struct.Struct("<Id")  # length of the arguments, deadline
RESPONSE = struct.Struct("<IBd")  # length of the answer, index in STATUSES, seconds
# Members of one set or dict in an answer: chosen keys can make building it quadratic.
MAX_HASHED_MEMBERS = 10_000
# Longest account of an error.
MAX_ERROR_CHARS = 500


def encode(value: Any) -> Any:
    """Plain data as what JSON can hold; subclasses become their plain base.

    Raises:
        TypeError: For anything but None, bool, int, float, complex, str, bytes, list, tuple, set,
            frozenset and dict of these.
    """
    if value is None or isinstance(value, (bool, str)):
        return value if value is None or type(value) in (bool, str) else str.__str__(value)
    if isinstance(value, int):
        # as hexadecimal when long: Python refuses to print more than 4,300 digits
        number = int(value)
        return number if number.bit_length() < 64 else {"i": hex(number)}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"f": float.__repr__(value)}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"t": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"d": [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, frozenset):
        return {"z": [encode(item) for item in value]}
    if isinstance(value, set):
        return {"s": [encode(item) for item in value]}
    if isinstance(value, complex):
        return {"c": [float.__repr__(value.real), float.__repr__(value.imag)]}
    if isinstance(value, (bytes, bytearray)):
        return {"b": bytes(value).hex()}
    raise TypeError(f"an object of type {type(value).__name__} is not plain data")


def decode(value: Any) -> Any:
    """The plain data of `encode`.

    Raises:
        ValueError: For JSON that `encode` does not make.
        TypeError: For JSON that names unhashable members of sets and keys.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise ValueError("not an encoded value")
    ((tag, inner),) = value.items()
    if tag == "i":
        return int(inner, 16)
    if tag in ("f", "b"):
        return float(inner) if tag == "f" else bytes.fromhex(inner)
    if not isinstance(inner, list):
        raise ValueError("not an encoded value")
    if tag == "c" and len(inner) == 2:
        return complex(float(inner[0]), float(inner[1]))
    if tag in ("d", "s", "z") and len(inner) > MAX_HASHED_MEMBERS:
        raise ValueError(f"a set or dict has more than {MAX_HASHED_MEMBERS} members")
    if tag == "d":
        return {decode(key): decode(item) for key, item in inner}
    if tag in ("t", "s", "z"):
        return {"t": tuple, "s": set, "z": frozenset}[tag](decode(item) for item in inner)
    raise ValueError("not an encoded value")


def describe(error: BaseException) -> str:
    """``ValueError: text``, whatever the error's own methods do."""
    try:
        text = str(error)
    except BaseException:  # the error comes from code that may be hostile
        text = "(no message)"
    return f"{type(error).__name__}: {text}"[:MAX_ERROR_CHARS]
