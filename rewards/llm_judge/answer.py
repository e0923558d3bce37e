"""Reading a judge's answer: one JSON object of exactly the asked form, or no verdict at all."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

from corgi_gym.rewards.llm_judge.rubric import MAX_MARK, Rubric

# Longest answer that is read: a full rubric with long sentences has half of it.
MAX_ANSWER_CHARS = 10_000
MAX_PROBLEM_CHARS = 400
# How JSON writes any character, and the backslash before a quotation mark within a text.
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\\\"]))?")
# The same, of a text in a text in a text: all backslashes go.
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4}))?")
# JSON may stand within a JSON text. So many texts within texts are opened.
_MAX_LEVELS = 4
# A mark as JSON writes it: 10, 10.0, 1e1, "10".
_SCORE = r'"score"\s*:\s*"?(?P<score>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)'
# A text of JSON, up to its end or that of all. Each character is read once (possessive).
_TEXT = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
# A text, with what it names if that is an object or may be a mark; and other braces.
_PART = re.compile(
    rf"(?P<text>{_TEXT})(?:\s*+:\s*+(?:(?P<object>\{{)|(?=(?P<value>{_TEXT}|[-+.0-9eE]++))))?"
    r"|(?P<brace>[{}])",
    re.DOTALL,
)


class FormatError(ValueError):
    """An answer that is not in the asked form; the message says what is wrong with it."""


class Mark(NamedTuple):
    """The judge's mark for one criterion, and the problem that it names."""

    score: int
    problem: str


def read_answer(text: str, rubric: Rubric, code: str) -> tuple[Mark, ...]:
    r"""Read the marks, in the order of the criteria.

    Args:
        text: What the judge wrote.
        rubric: Whose criteria must all be there, and nothing else.
        code: What ``check`` must hold.

    Raises:
        FormatError: For anything else: text around the object, a field twice, missing or too many,
            NaN, a mark that is no whole number from 0 to 10, another code.

    Example:
        >>> rubric = Rubric.of(clear="Clear.")
        >>> read_answer('{"check": "a1", "clear": {"score": 9, "problem": ""}}', rubric, "a1")
        (Mark(score=9, problem=''),)
    """
    try:
        data = json.loads(
            checked_text(text), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is not one JSON object ({type(error).__name__})") from None
    if not isinstance(data, dict):
        raise FormatError("it is JSON, but no object")
    names = [criterion.name for criterion in rubric.criteria]
    missing = [name for name in ("check", *names) if name not in data]
    extra = [name for name in data if name not in ("check", *names)]
    if missing or extra:
        what = f"missing: {', '.join(missing)}" if missing else f"not asked for: {extra[0]!r:.40}"
        raise FormatError(what)
    if data["check"] != code:
        raise FormatError('"check" is not the code of the reply')
    return tuple(_mark(data[name], name) for name in names)


def checked_text(text: object) -> str:
    """Return an answer if it is a text of a length that is read.

    Raises:
        FormatError: If it is not.
    """
    if not isinstance(text, str):
        raise FormatError(f"the answer is no text but {type(text).__name__}")
    if len(text) > MAX_ANSWER_CHARS:
        raise FormatError(f"the answer has {len(text)} characters, at most {MAX_ANSWER_CHARS} fit")
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise FormatError("a field is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise FormatError(f"{name} is no mark")


def _mark(data: Any, name: str) -> Mark:
    if not isinstance(data, dict) or set(data) != {"score", "problem"}:
        raise FormatError(f'{name} must be an object with "score" and "problem"')
    score, problem = data["score"], data["problem"]
    if isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= MAX_MARK:
        raise FormatError(f"the score of {name} must be a whole number from 0 to {MAX_MARK}")
    if not isinstance(problem, str) or len(problem) > MAX_PROBLEM_CHARS:
        raise FormatError(f"the problem of {name} must be a text of at most {MAX_PROBLEM_CHARS}")
    return Mark(score, problem)


def is_copied(marks: tuple[Mark, ...], rubric: Rubric, reply: str) -> bool:
    """Whether these very marks stand as JSON in the reply.

    A judge that repeats them has copied them, or cannot be told from one that has. Only the marks
    are compared: a judge that copies may leave out or mend what else stands there. Where it is not
    plain whose mark a number is, it is one of each criterion that it may belong to.

    Example:
        >>> rubric = Rubric.of(clear="Clear.")
        >>> reply = 'Say {"clear": {"problem": "", "score": 10.0}}.'
        >>> is_copied((Mark(10, ""),), rubric, reply), is_copied((Mark(9, ""),), rubric, reply)
        (True, False)
    """
    names = [criterion.name for criterion in rubric.criteria]
    said: dict[str, set[float]] = {name: set() for name in names}
    for name, score in chain(_after(reply, names), _within(reply, names)):
        said[name].add(score)
    return all(float(mark.score) in said[name] for name, mark in zip(names, marks, strict=True))


def _after(reply: str, names: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Each ``"score"`` with the criterion whose object was opened last before it.

    This takes no notice of where texts begin and end, so broken JSON is no hiding place.
    """
    name = None
    opened = rf'"(?P<name>{"|".join(map(re.escape, names))})"\s*:\s*\{{'
    plain = _ESCAPES.sub(lambda m: chr(int(m[1], 16)) if m[1] else "", reply)
    for match in re.finditer(f"{opened}|{_SCORE}", plain):
        if match["name"]:
            name = match["name"]
        elif name:
            yield name, float(match["score"])


def _within(reply: str, names: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Each ``"score"`` with the criteria whose objects it stands in, as JSON is read.

    What stands within a text neither opens an object nor ends it. Where texts begin is not known,
    since any words may come before the JSON: at the odd quotation marks or at the even ones.
    """
    for _ in range(_MAX_LEVELS):
        for start in (0, reply.find('"') + 1):
            opened: list[str] = []  # the names of the objects around, innermost last
            times = Counter[str]()
            for part in _PART.finditer(reply, start):
                name = _inner(part["text"]) if part["text"] else ""
                if part["object"] or part["brace"] == "{":
                    opened.append(name)
                    times[name] += 1
                elif part["brace"] and opened:
                    times[opened.pop()] -= 1
                elif name == "score" and part["value"]:
                    with suppress(ValueError):
                        score = float(_inner(part["value"]))
                        yield from ((name, score) for name in names if times[name])
        if reply == (inner := _inner(reply)):
            return
        reply = inner


def _inner(text: str) -> str:
    """What a JSON text says."""
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2] or "", text.strip('"'))
