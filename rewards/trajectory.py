"""Replies in which a writer checks and corrects itself: attempt, feedback, updated answer.

After TriPosT (arXiv 2310.13522), whose trajectories alternate attempts and feedback until the
feedback finds nothing wrong. The format here, in one reply:

    (4 * 2) = 9
    Answer: 9
    Feedback: In step 1 the part "(4 * 2) = 9" is incorrect because 4 * 2 is 8.
    Updated answer:
    (4 * 2) = 8
    Answer: 8
    Feedback: All steps are correct, and so is the answer.

A *step* is a line of an attempt that is not blank; the line with the answer is the last one.
Changed: steps are not numbered (so an attempt is what every checker of ours reads anyway), and the
final step is our line ``Answer:``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line

FEEDBACK, UPDATED = "Feedback:", "Updated answer:"
ALL_CORRECT = "All steps are correct, and so is the answer."
# What feedback names besides the step: TriPosT's ablation of how informative feedback must be.
Detail = Literal["full", "no_reason", "no_part", "step"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
# Longer parts and reasons are no pointers any more; also bounds what is searched.
MAX_PART_CHARS, MAX_REASON_CHARS = 200, 300

_Span = tuple[int, int]

# In any case, as the paper has "Updated Answer:", and in bold, as other markers are read.
_WRAP = r"[ \t*_`]*"
_MARKER = re.compile(
    rf"^{_WRAP}(?:({FEEDBACK[:-1]})|({UPDATED[:-1]})){_WRAP}:{_WRAP}", re.MULTILINE | re.IGNORECASE
)
_BEFORE = r"(?:Step 1 is correct\. |Steps 1 to [0-9]{1,3} are correct\. )?"
_WRONG = re.compile(
    _BEFORE
    + r'(?:In step (?P<a>[0-9]{1,3}) the part "(?P<part>[^\n]+?)" is|Step (?P<b>[0-9]{1,3}) is)'
    + r" incorrect(?: because (?P<reason>[^\n]+))?\."
)


@dataclass(frozen=True, slots=True)
class StepFeedback:
    """The earliest mistake of an attempt.

    Attributes:
        step: Number of its step, from 1.
        part: The wrong part of that step, as it stands there ("" where it is not named).
        reason: Why it is wrong, without a full stop ("" where none is given).
    """

    step: int
    part: str = ""
    reason: str = ""

    def text(self, detail: Detail = "full") -> str:
        """As a line of feedback.

        Example:
            >>> StepFeedback(2, "3 + 4 = 8", "3 + 4 is 7").text()
            'Step 1 is correct. In step 2 the part "3 + 4 = 8" is incorrect because 3 + 4 is 7.'
        """
        before = ""
        if self.step > 1:
            before = "Step 1 is correct. "
        if self.step > 2:
            before = f"Steps 1 to {self.step - 1} are correct. "
        named = self.part and detail in ("full", "no_reason")
        where = f'In step {self.step} the part "{self.part}"' if named else f"Step {self.step}"
        why = f" because {self.reason}" if self.reason and detail in ("full", "no_part") else ""
        return f"{before}{where} is incorrect{why}."

    def agrees_with(self, other: StepFeedback) -> bool:
        """Whether two findings are the same: one step, and one part within the other."""
        return self.step == other.step and (self.part in other.part or other.part in self.part)


def parse_feedback(text: str) -> StepFeedback | Literal["correct"] | None:
    """Read a line of feedback; ``None`` where it is not of the form.

    Example:
        >>> parse_feedback('In step 1 the part "2 + 2 = 5" is incorrect because it is 4.').step
        1
        >>> parse_feedback("Looks good to me!") is None
        True
    """
    text = text.strip()
    if text == ALL_CORRECT:
        return "correct"
    match = _WRONG.fullmatch(text)
    if match is None:
        return None
    found = StepFeedback(
        int(match["a"] or match["b"]), match["part"] or "", (match["reason"] or "").strip()
    )
    too_long = len(found.part) > MAX_PART_CHARS or len(found.reason) > MAX_REASON_CHARS
    return None if found.step < 1 or too_long else found


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Attempts and the feedback between them; the last attempt may have feedback too."""

    attempts: tuple[str, ...]
    feedbacks: tuple[str, ...] = ()

    def text(self) -> str:
        """As one reply."""
        lines = []
        for number, attempt in enumerate(self.attempts):
            if number:
                lines.append(UPDATED)
            lines.append(attempt)
            if number < len(self.feedbacks):
                lines.append(f"{FEEDBACK} {self.feedbacks[number]}")
        return "\n".join(lines)


def parse_trajectory(reply: str) -> Trajectory:
    r"""Cut a reply into attempts and feedback; markers out of turn are ordinary text.

    Example:
        >>> parse_trajectory("Answer: 4\nFeedback: no.\nUpdated answer:\nAnswer: 5").attempts
        ('Answer: 4', 'Answer: 5')
    """
    attempts, feedbacks = _parts(reply)
    return Trajectory(
        tuple(reply[start:end] for start, end in attempts),
        tuple(reply[start:end] for start, end in feedbacks),
    )


def _parts(reply: str) -> tuple[list[_Span], list[_Span]]:
    """Where the attempts of a reply stand, and the feedback, without white space around them."""
    attempts: list[_Span] = []
    feedbacks: list[_Span] = []
    start, writing = 0, attempts
    for match in _MARKER.finditer(reply):
        if (match[1] is not None) != (writing is attempts):
            continue
        writing.append(_stripped(reply, start, match.start()))
        start, writing = match.end(), feedbacks if match[1] is not None else attempts
    writing.append(_stripped(reply, start, len(reply)))
    return attempts, feedbacks


def _stripped(text: str, start: int, end: int) -> _Span:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return start, start + len(part.strip())


def final_span(reply: str) -> _Span:
    r"""The attempt that counts: the last one with an answer, else the last one that says anything.

    So a correction that was cut off does not take back the answer before it.

    Returns:
        The place of its first character, and the place after its last.

    Example:
        >>> reply = "Answer: 4\nFeedback: no.\nUpdated answer:\nAnswer: 5"
        >>> reply[slice(*final_span(reply))]
        'Answer: 5'
    """
    attempts, _ = _parts(reply)
    answered = [(start, end) for start, end in attempts if is_answered(reply[start:end])]
    written = [(start, end) for start, end in attempts if start < end]
    return (answered or written or attempts)[-1]


def is_answered(attempt: str) -> bool:
    """Whether an attempt ends with exactly one line ``Answer:`` that says something."""
    return isinstance(find_answer_line(attempt, "an answer"), AnswerLine)


def steps_of(attempt: str) -> list[str]:
    """The lines of an attempt that are not blank."""
    return [line.strip() for line in attempt.split("\n") if line.strip()]
