"""Checkers by name: the `@checker` decorator, third-party plug-ins, and the boundary `judge`.

    @checker("no_letter_e", examples=[("a cat", None, True), ("tree", None, False)])
    def no_letter_e(reply, target):
        return "e" not in reply.lower()

Error model. A checker is code that somebody else may have written, so it is called in one place,
`judge`, which never raises: an exception, a NaN, a score outside [0, 1] or a wrong type becomes an
``unscored`` verdict that names the checker and the cause. A broken checker is thus never read as a
bad answer.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from corgi_gym.rewards.text import MAX_REPLY_CHARS, normalise
from corgi_gym.rewards.verdict import Checker, Problem, Verdict

ENTRY_POINT_GROUP = "corgi_gym.checkers"

Judgement = Verdict | float | bool


@dataclass(frozen=True, slots=True)
class Example:
    """One declared example: ``passes`` says whether ``reply`` must be a success."""

    reply: str
    target: Any
    passes: bool


@dataclass(frozen=True, slots=True)
class NamedChecker:
    """A registered function; calling it gives a `Verdict` (or raises what the function raises)."""

    name: str
    function: Callable[[str, Any], Judgement]
    examples: tuple[Example, ...] = ()
    message: str | None = None

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Run the function and turn a float or bool into a verdict."""
        return as_verdict(self.function(reply, target), self.name, self.message)


_REGISTRY: dict[str, NamedChecker] = {}


def checker(
    name: str,
    *,
    examples: Iterable[tuple[str, Any, bool]] = (),
    message: str | None = None,
) -> Callable[[Callable[[str, Any], Judgement]], NamedChecker]:
    """Register a function ``(reply, target) -> Verdict | float | bool`` as a checker.

    Args:
        name: Stable name, used by ``get_checker``, ``checker=…`` and recipes. Registering the same
            name again replaces the function (so a notebook cell can be run twice).
        examples: ``(reply, target, passes)`` rows: the checker's first tests.
        message: What feedback says when the function returns a float or bool below 1.

    Example:
        >>> @checker("doc_short", examples=[("hi", None, True)], message="Use at most 5 letters.")
        ... def doc_short(reply, target):
        ...     return len(reply) <= 5
        >>> doc_short("far too long", None).problems[0].message
        'Use at most 5 letters.'
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a checker needs a non-empty name, got {name!r}")
    rows = tuple(Example(*row) for row in examples)

    def register(function: Callable[[str, Any], Judgement]) -> NamedChecker:
        named = NamedChecker(name, function, rows, message)
        _REGISTRY[name] = named
        return named

    return register


def _plugins() -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def checker_names() -> list[str]:
    """Names of all registered checkers and of installed plug-ins, sorted."""
    return sorted({*_REGISTRY, *_plugins()})


def get_checker(which: str | Checker) -> Checker:
    """Return a checker by name, or ``which`` itself when it is callable already.

    A plain function that was never decorated is wrapped, so it may return a float or bool too.
    Plug-ins (entry-point group ``corgi_gym.checkers``) are imported on first use.

    Raises:
        KeyError: For an unknown name; the message lists the known ones.
        TypeError: For something that is neither a name nor callable.
    """
    if isinstance(which, NamedChecker):
        return which
    if not isinstance(which, str):
        if not callable(which):
            raise TypeError(f"checker must be a name or a callable, got {type(which).__name__}")
        name = getattr(which, "__name__", type(which).__name__)
        return NamedChecker(name, which)
    if which not in _REGISTRY:
        point = _plugins().get(which)
        if point is not None:
            try:
                loaded = point.load()
            except Exception as error:  # a plug-in's import may raise anything
                warnings.warn(
                    f"checker plug-in {which!r} ({point.value}) could not be imported: {error!r}",
                    RuntimeWarning,
                    stacklevel=2,
                )
            else:
                _REGISTRY.setdefault(
                    which,
                    loaded if isinstance(loaded, NamedChecker) else NamedChecker(which, loaded),
                )
    if which not in _REGISTRY:
        raise KeyError(f"unknown checker {which!r}; known: {', '.join(checker_names()) or 'none'}")
    return _REGISTRY[which]


def as_verdict(result: Judgement, name: str, message: str | None = None) -> Verdict:
    """Turn what a checker returned into a `Verdict`.

    Raises:
        TypeError: If ``result`` is none of Verdict, float, int and bool.
        ValueError: If a number is not in [0, 1].
    """
    if isinstance(result, Verdict):
        return result
    # numpy scalars count: they convert through __float__ and are not containers
    if not isinstance(result, (bool, int, float)) and not hasattr(result, "dtype"):
        raise TypeError(
            f"checker {name!r} returned {type(result).__name__}; "
            "return a Verdict, a float in [0, 1] or a bool"
        )
    score = float(result)
    if not math.isfinite(score) or not 0.0 <= score <= 1.0:
        raise ValueError(f"checker {name!r} returned {result!r}; a score must be in [0, 1]")
    if score == 1.0:
        return Verdict.ok()
    text = message or f"The reply does not satisfy the requirement {name!r}."
    return Verdict.wrong(score, Problem(name, text))


def judge(check: Checker, reply: str, target: Any) -> Verdict:
    """Judge a reply and never raise: the one place from which checkers are called.

    The reply is normalised first (`normalise`). An empty one, or one of more than
    ``MAX_REPLY_CHARS`` characters, is wrong without asking the checker.

    Raises:
        TypeError: Only if ``reply`` is not a string: that is a bug of the caller.
    """
    if not isinstance(reply, str):
        raise TypeError(f"a reply must be a string, got {type(reply).__name__}: {reply!r:.80}")
    if len(reply) > MAX_REPLY_CHARS:
        text = f"Your reply has {len(reply)} characters. Write at most {MAX_REPLY_CHARS}."
        return Verdict.wrong(0.0, Problem("too_long", text))
    reply = normalise(reply)
    if not reply.strip():
        return Verdict.wrong(0.0, Problem("empty", "Your reply is empty. Write an answer."))
    name = getattr(check, "name", getattr(check, "__name__", type(check).__name__))
    try:
        return as_verdict(check(reply, target), name)
    except Exception as error:  # the boundary: see the module docstring
        return Verdict.unscored(f"checker {name!r} failed: {type(error).__name__}: {error}"[:500])
