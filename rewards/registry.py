"""Checkers by name: the `@checker` decorator, third-party plug-ins, and the boundary `judge`.

    @checker("no_letter_e", examples=[("a cat", None, True), ("tree", None, False)])
    def no_letter_e(reply, target):
        return "e" not in reply.lower()

Error model. A checker is code that somebody else may have written, so it is called in one place,
`run` (and `judge`, which guards it against hostile replies): an exception, a NaN, a score outside
[0, 1] or a wrong type becomes an ``unscored`` verdict that names the checker and the cause. So a
broken checker is never read as a bad answer. What is no `Exception` (Ctrl-C, exit) passes through.

Names are looked up in this order: registered here, shipped with corgi-gym (`builtin`), plug-ins.
``"isolated:NAME"`` is checker NAME in a guarded process (`corgi_gym.rewards.isolated_checker`), and
with ``CORGI_GYM_ISOLATE_PLUGINS=1`` in the environment every plug-in is run that way.

A checker that waits for something else (worker processes, an endpoint, a large model) says so with
``slow=True``, and rollouts call it in threads, several calls at once; see `is_slow`.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from corgi_gym.rewards.builtin import BUILTIN
from corgi_gym.rewards.text import MAX_REPLY_CHARS, normalise
from corgi_gym.rewards.verdict import Checker, Problem, Verdict, unit_score

ENTRY_POINT_GROUP = "corgi_gym.checkers"

ISOLATE_VARIABLE = "CORGI_GYM_ISOLATE_PLUGINS"
_ISOLATED_PREFIX = "isolated:"

# Longest account of why a checker failed.
MAX_CAUSE_CHARS = 500

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
    slow: bool = False

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Run the function and turn a float or bool into a verdict."""
        return as_verdict(self.function(reply, target), self.name, self.message)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Pickle a shipped checker by its name: the decorator hides its function from pickle."""
        if _is_builtin(self.name, self.function):
            return get_checker, (self.name,)
        return NamedChecker, (self.name, self.function, self.examples, self.message, self.slow)


_REGISTRY: dict[str, NamedChecker] = {}


def _is_builtin(name: str, function: Callable[[str, Any], Judgement]) -> bool:
    home = BUILTIN.get(name, "").partition(":")[0]
    return home != "" and getattr(function, "__module__", None) == home


def checker(
    name: str,
    *,
    examples: Iterable[tuple[str, Any, bool]] = (),
    message: str | None = None,
    slow: bool = False,
) -> Callable[[Callable[[str, Any], Judgement]], NamedChecker]:
    """Register a function ``(reply, target) -> Verdict | float | bool`` as a checker.

    Args:
        name: Stable name, used by ``get_checker``, ``checker=…`` and recipes. Registering the same
            name again replaces the function (so a notebook cell can be run twice).
        examples: ``(reply, target, passes)`` rows: the checker's first tests.
        message: What feedback says when the function returns a float or bool below 1.
        slow: Whether a call can take long (see `is_slow`).

    Raises:
        ValueError: For an empty name, the name of a shipped checker, or an example that is no row
            of three.
        TypeError: For a message that is no string, and from the decorator, for something that
            cannot be called with a reply and a target.

    Example:
        >>> @checker("doc_short", examples=[("hi", None, True)], message="Use at most 5 letters.")
        ... def doc_short(reply, target):
        ...     return len(reply) <= 5
        >>> doc_short("far too long", None).problems[0].message
        'Use at most 5 letters.'
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a checker needs a non-empty name, got {name!r}")
    if message is not None and not isinstance(message, str):
        raise TypeError(f"checker {name!r}: message must be a string, got {message!r}")
    rows = []
    for row in examples:
        if not isinstance(row, tuple) or len(row) != 3:
            raise ValueError(
                f"checker {name!r}: an example is (reply, target, passes), got {row!r}"
            )
        rows.append(Example(*row))

    def register(function: Callable[[str, Any], Judgement]) -> NamedChecker:
        _check_callable(function)
        if name in BUILTIN and not _is_builtin(name, function):
            raise ValueError(f"{name!r} is a checker of corgi-gym; choose another name")
        named = NamedChecker(name, function, tuple(rows), message, slow)
        _REGISTRY[name] = named
        return named

    return register


def isolates_plugins() -> bool:
    """Whether code of other packages runs in guarded processes only."""
    return os.environ.get(ISOLATE_VARIABLE) == "1"


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def checker_names() -> list[str]:
    """Names of all registered checkers, shipped ones and installed plug-ins, sorted.

    Example:
        >>> "countdown" in checker_names()
        True
    """
    return sorted({*_REGISTRY, *BUILTIN, *_plugins()})


def only_here(name: str) -> bool:
    """Whether a name is one that only this process knows: it was registered here (`checker`)."""
    return name in _REGISTRY and name not in BUILTIN and name not in _plugins()


def checker_name(check: Checker) -> str:
    """How messages and logs call a checker.

    Example:
        >>> checker_name(lambda reply, target: True)
        '<lambda>'
    """
    name = getattr(check, "name", None) or getattr(check, "__name__", None)
    return name if isinstance(name, str) else type(check).__name__


def is_slow(check: Checker) -> bool:
    """Whether a call of the checker can take long, so that rollouts make it in a thread.

    A checker says so by its attribute ``slow``. It is then called from several threads at once, so
    it must guard whatever its calls share. For a quick one a thread costs more than it gains.

    Example:
        >>> is_slow(lambda reply, target: True)
        False
    """
    return bool(getattr(check, "slow", False))


def get_checker(which: str | Checker | Callable[[str, Any], Judgement]) -> Checker:
    """Return a checker by name, or ``which`` itself when it is callable already.

    A plain function that was never decorated is wrapped, so it may return a float or bool too.
    Shipped checkers and plug-ins (entry-point group ``corgi_gym.checkers``) are imported on first
    use.

    Raises:
        ValueError: For an unknown name, and for a plug-in that cannot be imported (after a warning
            that names it); the message lists the known ones.
        TypeError: For something that is neither a name nor callable, and for a class.
    """
    if not isinstance(which, str):
        return _wrap(which, None)
    if which.startswith(_ISOLATED_PREFIX):
        return _isolated(which.removeprefix(_ISOLATED_PREFIX))
    if which not in _REGISTRY and which in BUILTIN:
        module, _, attribute = BUILTIN[which].partition(":")
        _REGISTRY.setdefault(which, getattr(import_module(module), attribute))
    if which not in _REGISTRY and isolates_plugins() and which in _plugins():
        return _isolated(which)
    if which not in _REGISTRY:
        _load_plugin(which)
    if which not in _REGISTRY:
        raise ValueError(f"unknown checker {which!r}; known: {', '.join(checker_names())}")
    return _REGISTRY[which]


def _isolated(name: str) -> NamedChecker:
    """The checker in a guarded process, where it is imported too."""
    from corgi_gym.rewards.isolated_checker import isolated

    if ":" not in name and name not in checker_names():
        raise ValueError(f"unknown checker {name!r}; known: {', '.join(checker_names())}")
    return _wrap(isolated(name), f"{_ISOLATED_PREFIX}{name}")


def _wrap(check: Any, name: str | None) -> NamedChecker:
    if isinstance(check, NamedChecker):
        return check
    if isinstance(check, type):
        raise TypeError(f"checker {check.__name__} is a class; give an instance or a function")
    _check_callable(check)
    return NamedChecker(name or checker_name(check), check, slow=is_slow(check))


def _check_callable(check: Any) -> None:
    """Refuse what cannot be called with a reply and a target.

    Raises:
        TypeError: Naming it.
    """
    if not callable(check):
        raise TypeError(f"a checker must be a name or a callable, got {check!r:.80}")
    try:
        signature = inspect.signature(check, follow_wrapped=False)
    except (TypeError, ValueError):  # written in C: nothing is known of its parameters
        return
    try:
        signature.bind("", None)
    except TypeError as error:
        raise TypeError(
            f"checker {checker_name(check)!r} takes {signature}, and is called with (reply, "
            f"target): {error}"
        ) from None


def _load_plugin(name: str) -> None:
    point = _plugins().get(name)
    if point is None:
        return
    try:
        _REGISTRY.setdefault(name, _wrap(point.load(), name))
    except Exception as error:  # a plug-in's import may raise anything
        text = f"checker plug-in {name!r} ({point.value}) could not be imported: {error!r}"
        warnings.warn(text, RuntimeWarning, stacklevel=3)
        others = ", ".join(known for known in checker_names() if known != name)
        raise ValueError(f"{text}; known: {others}") from error


def as_verdict(result: Judgement, name: str, message: str | None = None) -> Verdict:
    """Turn what a checker returned into a `Verdict` (exactly: a subclass is copied and checked).

    Raises:
        TypeError: If ``result`` is none of Verdict, float, int and bool.
        ValueError: If a number is not in [0, 1].
    """
    if type(result) is Verdict:
        return result
    if isinstance(result, Verdict):
        return Verdict(result.score, result.problems, result.status, result.metrics)
    score = unit_score(result, f"checker {name!r}: a result that is not a Verdict")
    if score == 1.0:
        return Verdict.ok()
    text = message or f"The reply does not satisfy the requirement {name!r}."
    return Verdict.wrong(score, Problem(name, text))


def run(check: Checker, reply: str, target: Any) -> Verdict:
    """Call a checker; whatever goes wrong in it becomes an ``unscored`` verdict.

    Example:
        >>> run(lambda reply, target: 2.0, "hi", None).status
        'unscored'
    """
    try:
        if type(check) is NamedChecker:  # nearly always; its function at once saves a call
            result = check.function(reply, target)
            return (
                result if type(result) is Verdict else as_verdict(result, check.name, check.message)
            )
        result = check(reply, target)
        return result if type(result) is Verdict else as_verdict(result, checker_name(check))
    except Exception as error:  # the boundary: see the module docstring
        try:
            cause = str(error)
        except Exception:  # the error's own __str__ fails
            cause = "(no message)"
        text = f"checker {checker_name(check)!r} failed: {type(error).__name__}: {cause}"
        return Verdict.unscored(text[:MAX_CAUSE_CHARS])


def judge(check: Checker, reply: str, target: Any) -> Verdict:
    """Judge any reply and never raise: what environments call.

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
    return run(check, reply, target)


def check_examples(check: Checker) -> None:
    """Try the examples that a checker's author declared (`checker`).

    A training's first step: hours on a checker that does not do what its author says are lost.
    Those of shipped checkers are in the tests.

    Raises:
        ValueError: Naming the first example that comes out otherwise, and what came out.

    Example:
        >>> @checker("doc_no_x", examples=[("a cat", None, True), ("a fox", None, False)])
        ... def doc_no_x(reply, target):
        ...     return "x" not in reply
        >>> check_examples(doc_no_x)
    """
    if not isinstance(check, NamedChecker) or _is_builtin(check.name, check.function):
        return
    for reply, target, passes in ((e.reply, e.target, e.passes) for e in check.examples):
        verdict = judge(check, reply, target)
        if verdict.status == "scored" and verdict.success == passes:
            continue
        found = f"scores {verdict.score:g}"
        if verdict.status != "scored":
            found = f"could not be judged ({verdict.problems[0].message})"
        raise ValueError(
            f"checker {check.name!r} contradicts its example: {reply!r:.200} with target "
            f"{target!r:.200} should {'' if passes else 'not '}pass, and {found}; correct the "
            "checker or the example"
        )
