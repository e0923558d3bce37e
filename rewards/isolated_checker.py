"""Run any checker in a guarded process: for code that is not trusted, or that can explode.

    check = isolated("acme_polite")                       # registered, shipped or a plug-in
    check = isolated("acme_gym:polite", deadline=0.5)     # module:function, no registration needed
    get_checker("isolated:acme_polite")                   # the same by name

Even the import happens in the guarded process only, so a module that loops, forks, writes files or
raises when it is imported stops nothing here. What a guarded process can not do is listed in
`corgi_gym.rewards.isolate`. One thing is to start another one: shipped checkers that run what they
are given in guarded processes of their own (`GUARD_THEMSELVES`) are called directly, and another
checker's call that needs one is ``unscored``.

A checker that times out, crashes, uses too much memory or raises gives an ``unscored`` verdict: the
fault is the checker's, not the reply's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, cast

from corgi_gym.rewards.builtin import BUILTIN
from corgi_gym.rewards.isolate import START_SECONDS, Isolated, Outcome
from corgi_gym.rewards.registry import as_verdict, get_checker
from corgi_gym.rewards.verdict import Checker, Problem, Status, Verdict

PREFIX = "isolated:"
# A checker takes milliseconds; one that takes this long is broken.
DEADLINE_SECONDS = 2.0
MEMORY_MB = 1024
# Shipped checkers that run what could explode in guarded processes of their own.
GUARD_THEMSELVES = frozenset(("math_verify", "mbpp", "program", "reasoning_gym"))
# Texts that come back are bounded: a checker may answer with megabytes.
_MAX_PROBLEMS, _MAX_KIND_CHARS, _MAX_MESSAGE_CHARS = 100, 64, 2_000
_MAX_METRICS = 100


class IsolatedChecker:
    """A checker in a guarded process of its own; made by `isolated`."""

    slow = True  # a call waits for the process

    def __init__(self, which: str, deadline: float, memory_mb: int, start_seconds: float) -> None:
        self.name = f"{PREFIX}{which}"
        self._pool = Isolated(
            f"{__name__}:judge_here",
            setup=(which,),
            deadline=deadline,
            memory_mb=memory_mb,
            preload=False,
            start_seconds=start_seconds,
        )

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge in the guarded process.

        Raises:
            IsolationError: If no process could be had.
        """
        return read_verdict(self.name, self._pool.call(reply, target))

    def close(self) -> None:
        """End the process; the next call starts a new one."""
        self._pool.close()


@lru_cache(maxsize=64)
def isolated(
    which: str,
    *,
    deadline: float = DEADLINE_SECONDS,
    memory_mb: int = MEMORY_MB,
    start_seconds: float = START_SECONDS,
) -> Checker:
    """A checker that runs another one, given by name or as ``module:function``, isolated.

    Args:
        which: A registered name or plug-in (looked up in the guarded process, not here), or
            ``"module:function"``. One of `GUARD_THEMSELVES` is returned as it is: its own limits
            hold, and not these.
        deadline: Seconds for one reply.
        memory_mb: Memory on top of what is loaded without the checker.
        start_seconds: Time to import it.

    Raises:
        ValueError: For an empty name, for one that is isolated already, and for a module that a
            new process would not find. Whether it can be imported shows in the guarded process.

    Example:
        >>> isolated("countdown")("Answer: 2 + 3", {"numbers": [2, 3], "target": 5}).success
        True
    """
    if not which.strip() or which.startswith(PREFIX):
        raise ValueError(f"isolated() takes the name of a checker or 'module:function': {which!r}")
    for name in GUARD_THEMSELVES:
        if which in (name, BUILTIN[name]):
            return get_checker(name)
    if ":" in which:
        _check_module(which)
    return cast(Checker, IsolatedChecker(which, deadline, memory_mb, start_seconds))


def _check_module(which: str) -> None:
    """Look for the package of ``module:function``, which runs none of its code.

    Raises:
        ValueError: If there is none.
    """
    package = which.partition(":")[0].partition(".")[0]
    try:
        found = package != "__main__" and find_spec(package) is not None
    except (ImportError, ValueError):  # an empty name, or a module that only exists here
        found = False
    if not found:
        raise ValueError(f"isolated:{which}: no module named {package!r} can be imported")


def judge_here(which: str) -> Callable[[str, Any], dict[str, Any]]:
    """In the guarded process: import the checker, and return a function that runs it.

    Its verdicts come as plain data.
    """
    from corgi_gym.rewards._isolate_worker import load

    check = get_checker(load(which) if ":" in which else which)

    return lambda reply, target: plain_verdict(as_verdict(check(reply, target), which))


def plain_verdict(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data, which `read_verdict` reads."""
    return {
        "score": float(verdict.score),
        "problems": [(p.kind, p.message, p.where) for p in verdict.problems[:_MAX_PROBLEMS]],
        "status": str(verdict.status),
        "metrics": dict(verdict.metrics),
    }


def read_verdict(name: str, outcome: Outcome) -> Verdict:
    """The verdict that came of a call; ``unscored``, naming the checker, where none did."""
    if not outcome.ok:
        return Verdict.unscored(f"{name}: {outcome.status}: {outcome.error}")
    try:
        return _from_plain(outcome.value)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return Verdict.unscored(f"{name}: its answer is no verdict: {error}")


def _from_plain(value: Mapping[str, Any]) -> Verdict:
    """A verdict out of what an untrusted process said."""
    status: Status = value["status"]
    problems = tuple(
        Problem(kind[:_MAX_KIND_CHARS], message[:_MAX_MESSAGE_CHARS], where)
        for kind, message, where in value["problems"][:_MAX_PROBLEMS]
    )
    metrics = dict(list(value["metrics"].items())[:_MAX_METRICS])
    return Verdict(value["score"], problems, status, metrics)
