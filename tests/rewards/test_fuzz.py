"""Every shipped checker survives random and hostile replies, fast.

20,000 replies in all; ``CORGI_FUZZ=1000000`` for the nightly run, which prints the figures of each
checker with ``-s``. A checker that is new in `BUILTIN` is tried without a change here. One that
needs an extra which is not installed is skipped by name.
"""

import math
import os
from functools import cache
from itertools import chain, islice
from typing import NamedTuple

import pytest

from corgi_gym.envs import FAMILIES, load_family
from corgi_gym.rewards import get_checker
from corgi_gym.rewards.audit import Row
from corgi_gym.rewards.audit.calls import Case, call_once
from corgi_gym.rewards.audit.fuzz import BOMBS, texts
from corgi_gym.rewards.audit.timing import percentile
from corgi_gym.rewards.builtin import BUILTIN

TOTAL = int(os.environ.get("CORGI_FUZZ", "20000"))
TASKS = 20
# CPU seconds: 99 of 100 calls, and any call.
P99, WORST = 0.005, 0.25


class Slow(NamedTuple):
    """A checker that gets a share of the strings, and why."""

    share: float
    reason: str


# These wait for other processes, or run a model; their own limits are tested in their own files.
SLOW = {
    "mbpp": Slow(0.02, "runs programs in worker processes"),
    "program": Slow(0.02, "runs programs in worker processes"),
    "math_verify": Slow(0.1, "parses in a worker process"),
    "rationale_generation": Slow(0.05, "runs the packaged language model"),
}


def count_of(name: str) -> int:
    """How many of all strings are this checker's."""
    shares = {each: SLOW[each].share if each in SLOW else 1.0 for each in BUILTIN}
    return max(10, math.ceil(TOTAL * shares[name] / sum(shares.values())))


@cache
def families_by_checker() -> dict[str, str]:
    """The first family of each checker, of those that can be loaded."""
    found: dict[str, str] = {}
    for family in FAMILIES:
        try:
            found.setdefault(load_family(family).checker.name, family)
        except (ImportError, AttributeError):
            continue
    return found


def rows_of(name: str) -> list[Row]:
    """Tasks of the checker's family, or its declared examples."""
    family = families_by_checker().get(name)
    if family is None:
        return [Row("", e.target, e.reply, (e.reply,)) for e in get_checker(name).examples]
    source = load_family(family)()
    tasks = [source.item(7, index) for index in range(TASKS)]
    return [Row(t.prompt, t.target, t.witness, tuple(source.near_misses(t))) for t in tasks]


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_no_reply_breaks_a_checker(name):
    try:
        check = get_checker(name)
        rows = rows_of(name)
    except ImportError as error:
        pytest.skip(f"{name}: {error}")
    first = call_once(check, Case(rows[0].witness, rows[0].target))  # loads its data
    if "pip install" in first.words():
        pytest.skip(f"{name}: {first.words()}")
    share = SLOW[name].share if name in SLOW else 1.0
    count = count_of(name)
    bombs = [(bomb, rows[0]) for bomb in BOMBS[:: max(1, int(1 / share))]]
    jobs = chain(bombs, islice(texts(rows, seed=TOTAL), max(0, count - len(bombs))))
    seconds, worst = [], 0.0
    for text, row in jobs:
        case = Case(text.reply, row.target, guarded=False)
        outcome = call_once(check, case)
        said = f"{name}: {text.source:.300} for {row.target!r:.200}: {outcome.words()}"
        assert not outcome.failed, said
        # a reply that a worker cannot judge in time is unscored there, and only there
        assert outcome.status == "scored" or name in SLOW, said
        taken = outcome.seconds
        if taken > P99:  # another program on the machine can make one call slow
            taken = min(taken, *(call_once(check, case).seconds for _ in range(2)))
        assert taken < WORST, f"{taken:.3f} s: {said}"
        worst = max(worst, taken)
        if text.kind != "bomb":  # a tenth of these strings; in a million completions they are few
            seconds.append(taken)
    p99 = percentile(seconds, 0.99)
    tried = max(count, len(bombs))
    print(f"{name}: {tried} strings, p99 {1e3 * p99:.2f} ms, worst {1e3 * worst:.1f} ms")
    assert p99 < P99, f"p99 {p99:.4f} s"
