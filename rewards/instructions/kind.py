"""What a kind of instruction is, and how a set of them is read from plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from corgi_gym.rewards.constraints.segments import fold
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import words

# A check: what is wrong (full sentences: what was found, what was asked), None when followed.
Check = Callable[..., str | None]
# A field: returns the value as the checks take it, raises ValueError saying what it must be.
Field = Callable[[Any], Any]

# Bounds of what a row may ask for: far above any real one, and small enough to stay fast.
MAX_NUMBER = 100_000
MAX_FIELD_CHARS = 10_000
MAX_LIST_ITEMS = 100
RELATIONS = ("less than", "at least")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of instruction: a row of the registry.

    Attributes:
        name: Its id, ``"theme:kind"``.
        strict: The check of the default mode.
        reference: The check with the published verdicts, or None for a kind of our own.
        fields: What the check is given, by name.
        asks: What the prompt must say, in words (for documentation).
        closed: The reply is one of a few fixed answers, so no text of its own is expected.
    """

    name: str
    strict: Check
    reference: Check | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    asks: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """A kind with its values."""

    kind: Kind
    values: Mapping[str, Any]

    def problem(self, reply: Reply, mode: str) -> str | None:
        """What is wrong with ``reply``, None when it follows."""
        check = self.kind.strict if mode == "strict" else self.kind.reference
        if check is None:
            raise ValueError(f"{self.kind.name} is no published kind: it has no reference mode")
        return check(reply, **self.values)


def whole(least: int = 0, most: int = MAX_NUMBER) -> Field:
    """An integer in a range; integers written as floats (``3.0``) count."""

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be an integer from {least} to {most}")
        return value

    return read


def text(value: Any) -> str:
    """A string that says something."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_FIELD_CHARS:
        raise ValueError(f"must be a string of 1 to {MAX_FIELD_CHARS} characters")
    return value


def one_word(value: Any) -> str:
    """A string without white space."""
    if len(text(value).split()) != 1:
        raise ValueError("must be one word")
    return str(value).strip()


def bare_word(value: Any) -> str:
    """A word as it stands among the words of a text: no mark before or after it."""
    word = one_word(value)
    if words(fold(word)) != [fold(word)]:
        raise ValueError("must be one word without other marks, such as 'bridge'")
    return word


def spelled(value: Any) -> str:
    """A word of letters and digits alone."""
    word = one_word(value)
    if not word.isalnum():
        raise ValueError("must be letters or digits, such as 'rain'")
    return word


def texts(value: Any) -> tuple[str, ...]:
    """A list of strings."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MAX_LIST_ITEMS:
        raise ValueError(f"must be a list of 1 to {MAX_LIST_ITEMS} strings")
    return tuple(map(text, value))


def choice(*options: str) -> Field:
    """One of the options."""

    def read(value: Any) -> str:
        if value not in options:
            raise ValueError(f"must be one of {', '.join(map(repr, options))}")
        return str(value)

    return read


relation = choice(*RELATIONS)


def character(value: Any) -> str:
    """One character."""
    if not isinstance(value, str) or len(value.strip()) != 1:
        raise ValueError("must be one character")
    return value.strip()


def holds(number: int, asked: int, relation: str) -> bool:
    """Whether ``number`` is less than, or at least, ``asked``."""
    return number < asked if relation == "less than" else number >= asked


def read_instruction(row: Any, where: str, kinds: Mapping[str, Kind]) -> Instruction:
    """Read ``{"kind": name, "kwargs": {...}}``; values that are None count as not given.

    Raises:
        ValueError: For an unknown kind, or a field that is missing, unknown or wrong. The message
            starts with ``where`` and names the field.
    """
    if not isinstance(row, Mapping) or not isinstance(row.get("kind"), str):
        raise ValueError(f"{where}: an instruction is {{'kind': name, 'kwargs': {{...}}}}")
    name = row["kind"]
    if name not in kinds:
        raise ValueError(f"{where}: field 'kind' is {name!r:.60}; known: {', '.join(kinds)}")
    kind = kinds[name]
    given = row.get("kwargs") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} ({name}): field 'kwargs' must be a dict, got {given!r:.60}")
    given = {key: value for key, value in given.items() if value is not None}
    for key in given:
        if key not in kind.fields:
            known = ", ".join(kind.fields) or "none"
            raise ValueError(f"{where} ({name}): unknown field {key!r:.60}; its fields: {known}")
    values = {}
    for key, read in kind.fields.items():
        if key not in given:
            raise ValueError(f"{where} ({name}): field {key!r} is missing")
        try:
            values[key] = read(given[key])
        except ValueError as error:
            raise ValueError(
                f"{where} ({name}): field {key!r} {error}, got {given[key]!r:.60}"
            ) from error
    return Instruction(kind, values)
