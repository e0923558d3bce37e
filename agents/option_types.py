"""Whether a recipe's value is what a dataclass's field takes, one of ours or a library's.

Dataclasses check no types: ``pairs: maybe`` would count as true, and a text where a number belongs
would fail in the middle of a round.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    type(None): "null",
    dict: "a mapping",
    list: "a list",
}

# Fields that transformers annotates as text and documents true for.
_TRUE_TOO = {"fsdp"}


def check_types(values: Mapping[str, Any], config: type, where: str) -> None:
    """Check values against the annotations of a dataclass's fields.

    Names, numbers, lists, mappings and choices are checked; a field whose annotation has anything
    else (a class of a library) is left to the class itself.

    Args:
        values: Values by field; each name must be a field of ``config``.
        config: The dataclass.
        where: What the values are part of, for the error.

    Raises:
        ValueError: Naming the field, its value and what it takes.

    Example:
        >>> from dataclasses import make_dataclass
        >>> config = make_dataclass("Config", [("rho", float)])
        >>> check_types({"rho": "high"}, config, "train.options")
        Traceback (most recent call last):
        ValueError: train.options.rho must be a number, got 'high'
    """
    for name, value in values.items():
        kinds = _kinds(config)[name]
        if kinds is None or any(_fits(value, kind) for kind in kinds):
            continue
        hint = ""
        if isinstance(value, str) and float in kinds and _is_number(value):
            hint = f" (YAML reads it as text; write {float(value)!r})"
        words = " or ".join(dict.fromkeys(map(_words, kinds)))
        raise ValueError(f"{where}.{name} must be {words}, got {value!r}{hint}")


@cache
def _kinds(config: type) -> dict[str, tuple[Any, ...] | None]:
    """What each field takes; ``None`` where that is not for us to say."""
    hints = typing.get_type_hints(config)
    kinds = {field.name: _alternatives(hints[field.name]) for field in dataclasses.fields(config)}
    for name in _TRUE_TOO & kinds.keys():
        if (taken := kinds[name]) is not None:
            kinds[name] = (*taken, bool)
    return kinds


def _alternatives(annotation: Any) -> tuple[Any, ...] | None:
    unions = (types.UnionType, typing.Union)
    several = typing.get_origin(annotation) in unions
    kinds = typing.get_args(annotation) if several else (annotation,)
    known = all(_origin(kind) in (*_WORDS, typing.Literal) for kind in kinds)
    return kinds if known else None


def _origin(kind: Any) -> Any:
    origin = typing.get_origin(kind) or kind
    return dict if origin is Mapping else origin


def _fits(value: Any, kind: Any) -> bool:
    origin = _origin(kind)
    if origin is typing.Literal:
        return any(value == choice and type(value) is type(choice) for choice in kind.__args__)
    if origin is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, Mapping if origin is dict else origin)


def _words(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(map(repr, kind.__args__))
    return _WORDS[_origin(kind)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
