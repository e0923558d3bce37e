"""Fixtures for checker tests."""

import gc
import random
from collections.abc import Iterator

import pytest

FUZZ_COUNT = 2_000
_ALPHABETS = (
    "abcdefghij ,.!?'\"\n-:",
    "GroupAnnaBen 0123456789:,\n*-&",
    "".join(map(chr, range(128))),
    "äßİ\u0131K\u0301\u200b\u202e\u2019\u2014\ud800\U0001f600\ufeff\x00\x1b中\u2028 a",
)
_LONG = (
    "a", "a ", "bus ", "1.", "-", "'", "*", "Group 1: ", "Group 1: a, b\n", "group ", ", ", "and ",
    "\u2014a", "a-", "a'", "\n", "Group 1:" + " " * 500, ">- *", "\ud800", "the of ", "a,", "!\"'",
)  # fmt: skip
_LONG_CHARS = 20_000


@pytest.fixture(scope="module", autouse=True)
def _frozen_heap() -> Iterator[None]:
    """No collection of what earlier tests have made, for the tests that time single calls.

    Late in the suite a full one takes about a second of CPU, whoever's call it falls into.
    """
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def fuzz_strings() -> list[str]:
    """Random short strings over nasty alphabets, and strings of 20,000 characters."""
    rng = random.Random(0)
    short = [
        "".join(rng.choices(rng.choice(_ALPHABETS), k=rng.randrange(120)))
        for _ in range(FUZZ_COUNT)
    ]
    return short + [(piece * _LONG_CHARS)[:_LONG_CHARS] for piece in _LONG]


@pytest.fixture(scope="module")
def program_limits() -> Iterator[None]:
    """Programs get less CPU time, and more on the clock.

    So loops end sooner, and on a machine with many other jobs no right program is cut off.
    """
    from corgi_gym.rewards import programs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "CALL_SECONDS", 0.5)
        patch.setattr(programs, "PROCESS_SECONDS", 1.0)
        patch.setattr(programs, "PROGRAM_SECONDS", 120.0)
        patch.setattr(programs, "_POOL", programs._make_pool())
        yield
