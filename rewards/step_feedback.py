"""Scripted critics and correctors: the earliest wrong step of an attempt, and the attempt mended.

After the scripted feedback of TriPosT (arXiv 2310.13522) for multistep arithmetic and word sorting,
which parses one rationale format with Python's ``eval``. Changed: exact rationals and no ``eval``
(`corgi_gym.rewards.steps`); the steps of an arithmetic attempt may come in any order, as long as
each one works out a part of the task.

A critic sees the target and the witness, so it is for making training data, never for feedback in
an environment: it says what a wrong left side is worth, and which step comes next.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line, plain_spaces
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal, show
from corgi_gym.rewards.steps import check_steps
from corgi_gym.rewards.trajectory import StepFeedback, steps_of

# A word of a list and what may be around it, as `corgi_gym.rewards.word_sorting` takes it apart.
_ITEM, _MARKDOWN = re.compile(r"[^,;\s]+"), "*_`"


class StepScript(NamedTuple):
    """How a family's attempts are criticised and mended.

    Attributes:
        criticise: ``(attempt, target, witness)`` to the earliest mistake; ``None`` where it finds
            none, or the attempt has no answer.
        mend: ``(attempt, feedback, target, witness)`` to an attempt whose steps before the mistake
            are word for word the same; ``None`` where that cannot be done.
    """

    criticise: Callable[[str, Any, str], StepFeedback | None]
    mend: Callable[[str, StepFeedback, Any, str], str | None]


# ---------------------------------------------------------------- multistep arithmetic


def criticise_arithmetic(attempt: str, target: Any, witness: str) -> StepFeedback | None:
    r"""The first step that is no step of the task, is false or stops early; then the answer.

    Example:
        >>> witness = "3 + 4 = 7\n7 * 2 = 14\nAnswer: 14"
        >>> criticise_arithmetic("3 + 4 = 8\nAnswer: 8", "(3 + 4) * 2", witness).reason
        '3 + 4 is 7'
    """
    answer = find_answer_line(attempt, "one number")
    if not isinstance(answer, AnswerLine):
        return None
    lines = steps_of(attempt)
    pending = _starts(witness)
    for number, line in enumerate(lines[:-1], start=1):
        found = _judge_line(line, pending)
        if found is not None:
            return StepFeedback(number, *found)
        del pending[[_key(left) for left in pending].index(_key(line))]
    if pending:
        missing = f"the step that works out {pending[0]} is missing before it"
        return StepFeedback(len(lines), answer.text, missing)
    right = _last_value(witness)
    if literal(answer.text) != literal(right):
        return StepFeedback(len(lines), answer.text, f"the last step gives {right}")
    return None


def mend_arithmetic(attempt: str, feedback: StepFeedback, target: Any, witness: str) -> str | None:
    r"""The steps before the mistake, then those of the witness that are not among them.

    Example:
        >>> witness = "3 + 4 = 7\n7 * 2 = 14\nAnswer: 14"
        >>> wrong = "3 + 4 = 7\n7 * 2 = 15\nAnswer: 15"
        >>> mend_arithmetic(wrong, StepFeedback(2), "(3 + 4) * 2", witness) == witness
        True
    """
    kept = steps_of(attempt)[: feedback.step - 1]
    done = Counter(map(_key, kept))
    *steps, answer = steps_of(witness)
    rest = []
    for step in steps:
        if done[_key(step)]:  # a witness may take the same step twice
            done[_key(step)] -= 1
        else:
            rest.append(step)
    return "\n".join([*kept, *rest, answer])


def _starts(witness: str) -> list[str]:
    """What each step of a witness works out, in order."""
    return [line.split("=")[0].strip() for line in steps_of(witness)[:-1]]


def _key(line: str) -> str:
    """What a line works out: its text before the first ``=``, without spaces."""
    return "".join(line.split("=")[0].split())


def _last_value(witness: str) -> str:
    return steps_of(witness)[-1].partition(":")[2].strip()


def _judge_line(line: str, pending: list[str]) -> tuple[str, str] | None:
    """Part and reason of what is wrong with a step, where ``pending`` is still to be worked out."""
    if not pending:
        return line, "the task is worked out already"
    if "=" not in line:
        return line, f"a step is an equation, here one that works out {pending[0]}"
    start = line.split("=")[0].strip()
    if _key(line) not in map(_key, pending):
        return start or line, f"this step should work out {pending[0]}"
    steps = check_steps(line)
    if steps.wrong is not None:
        first, last = steps.wrong.where
        return line[first:last].strip(), f"{steps.wrong.left} is {show(steps.wrong.value.value)}"
    if steps.judged != line.count("="):
        return line, "it is not plain arithmetic"
    result = line.rpartition("=")[2].strip()
    if literal(result) is None:
        return result, f"it can be worked out further, to {_worth(result)}"
    return None


def _worth(text: str) -> str:
    try:
        return show(evaluate(text).value)
    except ExpressionError:  # what check_steps has judged can be evaluated
        return "one number"


# ---------------------------------------------------------------- word sorting


def criticise_sorting(attempt: str, target: Any, witness: str) -> StepFeedback | None:
    """The first place of the list with a wrong word.

    Example:
        >>> found = criticise_sorting("Answer: fig, pear, kiwi", {"words": ["kiwi", "pear", "fig"]}, "")
        >>> found.part, found.reason
        ('fig, pear', 'kiwi comes before pear in the alphabet')
    """  # noqa: E501
    place = _first_mistake(attempt, target)
    if place is None:
        return None
    number, _, part, reason = place
    return StepFeedback(number, part, reason)


def mend_sorting(attempt: str, feedback: StepFeedback, target: Any, witness: str) -> str | None:
    """The same attempt with its first wrong place set right, and the other words as they were.

    Example:
        >>> words = {"words": ["kiwi", "pear", "fig"]}
        >>> mend_sorting("Answer: pear, kiwi, fig", StepFeedback(1), words, "")
        'Answer: fig, pear, kiwi'
    """
    place = _first_mistake(attempt, target)
    if place is None:
        return None
    right = sorted(target["words"])
    _, at, _, _ = place
    words = [word for word, _, _ in _listed(attempt)]
    rest = [word for word in words[at:] if word in right[at:] and word != right[at : at + 1][0]]
    mended = [*words[:at], right[at], *dict.fromkeys(rest)]
    return "\n".join([*steps_of(attempt)[:-1], f"Answer: {', '.join(mended)}"])


def _listed(attempt: str) -> list[tuple[str, int, int]]:
    """Each listed word in small letters, with its place in the last line."""
    answer, line = find_answer_line(attempt, "the words"), plain_spaces(steps_of(attempt)[-1])
    if not isinstance(answer, AnswerLine):
        return []
    start = line.index(answer.text, line.index(":") + 1)
    found = []
    for match in _ITEM.finditer(line, start, start + len(answer.text)):
        word = match[0].strip(_MARKDOWN)
        if word:
            first = match.start() + match[0].index(word)
            found.append((word.lower(), first, first + len(word)))
    return found


def _first_mistake(attempt: str, target: Any) -> tuple[int, int, str, str] | None:
    """Number of the step, place in the list, part and reason of the first mistake."""
    if not isinstance(find_answer_line(attempt, "the words"), AnswerLine):
        return None
    lines = steps_of(attempt)
    line, listed = lines[-1], _listed(attempt)
    right = sorted(target["words"])
    for at, (word, _, end) in enumerate(listed):
        if at < len(right) and word == right[at]:
            continue
        # a part that names the place too: with the word before it, or the line's beginning
        part = line[listed[at - 1][1] if at else 0 : end]
        if at >= len(right):
            return len(lines), len(right) - 1, part, "all words are listed before it"
        if word not in right:
            reason = f"{word} is not among the given words"
        elif word in (earlier for earlier, _, _ in listed[:at]):
            reason = f"{word} is listed twice"
        elif right[at] not in (later for later, _, _ in listed[at:]):
            reason = f"{right[at]} is missing before {word}"
        else:
            reason = f"{right[at]} comes before {word} in the alphabet"
        return len(lines), at, part, reason
    if not listed:
        return len(lines), 0, line, f"{right[0]} is missing"
    if len(listed) < len(right):
        last = line[listed[-1][1] : listed[-1][2]]
        return len(lines), len(listed), last, f"{right[len(listed)]} is missing after it"
    return None


SCRIPTS: dict[str, StepScript] = {
    "multistep_arithmetic": StepScript(criticise_arithmetic, mend_arithmetic),
    "word_sorting": StepScript(criticise_sorting, mend_sorting),
}
