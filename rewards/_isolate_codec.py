"""What parent and worker agree on: the frames, and plain data as JSON with tags.

Reading an answer runs no code, and takes time in proportion to its length: sets and dicts whose
building would take longer are refused (`MAX_COMPARED_BYTES`).
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Collection, Iterable
from sys import getsizeof
from typing import Any

STATUSES = ("ok", "timeout", "memory", "crashed", "error")
REQUEST = struct.Struct("<Id")  # length of the arguments, deadline
RESPONSE = struct.Struct("<IBd")  # length of the answer, index in STATUSES, seconds
# Members of a set and keys of a dict are compared when their hashes are equal, and the hash of a
# number is no secret: chosen ones make building a set quadratic. So what has to be compared in all
# sets and dicts of an answer is counted before they are built. Honest answers have few equal
# hashes, of -1 and -2 and of tuples with them: a cube of 50^3 grid points takes half of it.
MAX_COMPARED_BYTES = 2**22
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
        ValueError: For JSON that `encode` does not make, and for sets and dicts with too many
            members of equal hash.
        TypeError: For JSON that names unhashable members of sets and keys.
    """
    return _decode(value, _Budget())


class _Budget:
    """What may still be compared while the sets and dicts of one answer are built."""

    def __init__(self) -> None:
        self.left = MAX_COMPARED_BYTES

    def charge(self, members: Collection[Any]) -> None:
        """Count the comparisons that building a set of the members takes.

        Raises:
            ValueError: If they are too many.
        """
        hashes = [*map(hash, members)]
        if len(set(hashes)) == len(hashes):
            return
        times = Counter(hashes)
        self.left -= sum(
            (times[number] - 1) * _weight(member)
            for number, member in zip(hashes, members, strict=True)
            if times[number] > 1
        )
        if self.left < 0:
            raise ValueError("too many members of sets or dicts have the same hash")


def check_members(members: Iterable[Any]) -> None:
    """Check that a set of the members can be built in time; repeated ones count once.

    Raises:
        ValueError: If too many that differ have the same hash.
        TypeError: For a member that has none.
    """
    _Budget().charge({repr(member): member for member in members}.values())


def _weight(member: Any) -> int:
    """The bytes that are compared, at most, to find out whether a member equals another one."""
    if isinstance(member, tuple):
        return getsizeof(()) + sum(map(_weight, member))
    if isinstance(member, frozenset):  # each member is looked up in the other frozenset
        times = Counter(map(hash, member))
        return getsizeof(()) + sum(times[hash(inner)] * _weight(inner) for inner in member)
    return getsizeof(member)


def _decode(value: Any, budget: _Budget) -> Any:
    if isinstance(value, list):
        return [_decode(item, budget) for item in value]
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
    if tag == "d":
        keys = [_decode(key, budget) for key, _ in inner]
        budget.charge(keys)
        return dict(zip(keys, [_decode(item, budget) for _, item in inner], strict=True))
    if tag in ("t", "s", "z"):
        members = [_decode(item, budget) for item in inner]
        if tag == "t":
            return tuple(members)
        budget.charge(members)
        return set(members) if tag == "s" else frozenset(members)
    raise ValueError("not an encoded value")


def describe(error: BaseException) -> str:
    """``ValueError: text``, whatever the error's own methods do."""
    try:
        text = str(error)
    except BaseException:  # the error comes from code that may be hostile
        text = "(no message)"
    return f"{type(error).__name__}: {text}"[:MAX_ERROR_CHARS]
