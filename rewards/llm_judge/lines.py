"""Verdicts in one line, for models too small for a JSON object: the last line, or no verdict.

A model that reasons first and ends with ``Verdict: correct`` is read as strictly as one that
answers in JSON (`corgi_gym.rewards.llm_judge.answer`): the line stands last, once, and holds a
value that was asked for. Anything else is a `FormatError`, so that a judge that rambles is never
read as one that says no.
"""

from __future__ import annotations

from collections.abc import Sequence

from corgi_gym.rewards.llm_judge.answer import FormatError, checked_text

CORRECT, INCORRECT = "correct", "incorrect"
# What a value may be wrapped in: markdown emphasis, quotes, a full stop at the end.
_WRAPPING = " \t*_`\"'."


def read_line(text: str, field: str, values: Sequence[str]) -> str:
    r"""Read the value of ``field`` from the last line of an answer.

    Args:
        text: What the judge wrote.
        field: The word before the colon; letter case does not matter.
        values: What may follow; letter case does not matter.

    Returns:
        One of ``values``, as it is spelled there.

    Raises:
        FormatError: If the last line is no such line, or an earlier line is one as well.

    Example:
        >>> read_line("The sum is right.\nVerdict: Correct.", "verdict", ["correct", "incorrect"])
        'correct'
    """
    lines = [line.strip(_WRAPPING) for line in checked_text(text).splitlines() if line.strip()]
    found = [line for line in lines if _is_field(line, field)]
    if not found or found[-1] is not lines[-1]:
        raise FormatError(f'the last line does not begin with "{field}:"')
    if len(found) > 1:
        raise FormatError(f'"{field}:" begins {len(found)} lines')
    said = found[0].partition(":")[2].strip(_WRAPPING).casefold()
    for value in values:
        if said == value.casefold():
            return value
    raise FormatError(f'"{field}:" is followed by {said!r:.40}, not by one of {", ".join(values)}')


def _is_field(line: str, field: str) -> bool:
    head, colon, _ = line.partition(":")
    return bool(colon) and head.strip(_WRAPPING).casefold() == field.casefold()


def read_verdict(text: str) -> bool:
    r"""Read ``Verdict: correct`` or ``Verdict: incorrect``.

    Raises:
        FormatError: For anything else; see `read_line`.

    Example:
        >>> read_verdict("It has five words.\n**Verdict:** incorrect")
        False
    """
    return read_line(text, "verdict", (CORRECT, INCORRECT)) == CORRECT


def read_score(text: str, low: int = 1, high: int = 10) -> int:
    r"""Read ``Score: 7``, a whole number from ``low`` to ``high``.

    Raises:
        FormatError: For anything else; see `read_line`.

    Example:
        >>> read_score("Two of three are there.\nScore: 6")
        6
    """
    return int(read_line(text, "score", [str(mark) for mark in range(low, high + 1)]))
